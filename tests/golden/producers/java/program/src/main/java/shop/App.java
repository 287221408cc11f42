package shop;

import com.pulumi.Context;
import com.pulumi.Pulumi;
import com.pulumi.core.Output;
import com.pulumi.kubernetes.Provider;
import com.pulumi.kubernetes.ProviderArgs;
import com.pulumi.kubernetes.core.v1.Namespace;
import com.pulumi.kubernetes.core.v1.NamespaceArgs;
import com.pulumi.kubernetes.core.v1.Secret;
import com.pulumi.kubernetes.core.v1.SecretArgs;
import com.pulumi.kubernetes.meta.v1.inputs.ObjectMetaArgs;
import com.pulumi.resources.ComponentResource;
import com.pulumi.resources.ComponentResourceOptions;
import com.pulumi.resources.CustomResourceOptions;
import com.pulumi.resources.StackReference;
import java.util.List;
import java.util.Map;

public class App {
    static class Shop extends ComponentResource {
        final Output<String> namespace;

        Shop(String name, Output<String> planted, ComponentResourceOptions options) {
            super("shop:index:Shop", name, options);
            var space = new Namespace(name + "-space",
                NamespaceArgs.builder().metadata(ObjectMetaArgs.builder().labels(Map.of("tier", "meta")).build()).build(),
                CustomResourceOptions.builder().parent(this).protect(true).retainOnDelete(true).build());
            this.namespace = space.metadata().applyValue(metadata -> metadata.name().orElse("unnamed"));
            new Secret(name + "-login",
                SecretArgs.builder()
                    .metadata(ObjectMetaArgs.builder().name("login").namespace(this.namespace).build())
                    .stringData(planted.applyValue(value -> Map.of("planted", value)))
                    .build(),
                CustomResourceOptions.builder().parent(this).dependsOn(List.of(space)).ignoreChanges(List.of("type")).build());
            this.registerOutputs(Map.of("namespace", this.namespace, "tier", Output.of("meta")));
        }
    }

    public static void main(String[] args) {
        Pulumi.run(App::stack);
    }

    private static void stack(Context ctx) {
        Output<String> planted = ctx.config().requireSecret("planted");
        var site = new Provider("default-site", ProviderArgs.builder().kubeconfig("{}").build());
        var shop = new Shop("shop", planted, ComponentResourceOptions.builder().providers(List.of(site)).build());
        var base = new StackReference("organization/base/dev");
        ctx.export("namespace", shop.namespace);
        ctx.export("zone", base.output("zone"));
        ctx.export("planted", planted);
    }
}
