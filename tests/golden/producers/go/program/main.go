package main

import (
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	k8s "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	appsv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apps/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi-random/sdk/v4/go/random"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Shop is a component: a namespace, a deployment and its login.
type Shop struct {
	pulumi.ResourceState
	Namespace pulumi.StringOutput `pulumi:"namespace"`
}

func newShop(ctx *pulumi.Context, name string, planted pulumi.StringOutput, opts ...pulumi.ResourceOption) (*Shop, error) {
	shop := &Shop{}
	if err := ctx.RegisterComponentResource("shop:index:Shop", name, shop, opts...); err != nil {
		return nil, err
	}
	inside := pulumi.Parent(shop)
	space, err := corev1.NewNamespace(ctx, name+"-space", &corev1.NamespaceArgs{
		Metadata: &metav1.ObjectMetaArgs{Labels: pulumi.StringMap{"tier": pulumi.String("meta")}},
	}, inside, pulumi.Protect(true), pulumi.RetainOnDelete(true), pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String("old-space")}}))
	if err != nil {
		return nil, err
	}
	_, err = appsv1.NewDeployment(ctx, name+"-web", &appsv1.DeploymentArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("web"), Namespace: space.Metadata.Name().Elem()},
		Spec: &appsv1.DeploymentSpecArgs{
			Replicas: pulumi.Int(2),
			Selector: &metav1.LabelSelectorArgs{MatchLabels: pulumi.StringMap{"app": pulumi.String("web")}},
			Template: &corev1.PodTemplateSpecArgs{
				Metadata: &metav1.ObjectMetaArgs{Labels: pulumi.StringMap{"app": pulumi.String("web")}},
				Spec: &corev1.PodSpecArgs{Containers: corev1.ContainerArray{&corev1.ContainerArgs{
					Name:  pulumi.String("web"),
					Image: pulumi.String("registry.example/shop/web:1.2.3"),
				}}},
			},
		},
	}, inside, pulumi.IgnoreChanges([]string{"spec.replicas"}))
	if err != nil {
		return nil, err
	}
	_, err = corev1.NewSecret(ctx, name+"-login", &corev1.SecretArgs{
		Metadata:   &metav1.ObjectMetaArgs{Name: pulumi.String("login"), Namespace: space.Metadata.Name().Elem()},
		StringData: pulumi.StringMap{"planted": planted},
	}, inside, pulumi.DependsOn([]pulumi.Resource{space}))
	if err != nil {
		return nil, err
	}
	shop.Namespace = space.Metadata.Name().Elem()
	return shop, ctx.RegisterResourceOutputs(shop, pulumi.Map{"namespace": shop.Namespace, "tier": pulumi.String("meta")})
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		planted := config.New(ctx, "").RequireSecret("planted")
		site, err := k8s.NewProvider(ctx, "default-site", &k8s.ProviderArgs{Kubeconfig: pulumi.String("{}")})
		if err != nil {
			return err
		}
		shop, err := newShop(ctx, "shop", planted, pulumi.Providers(site))
		if err != nil {
			return err
		}
		pet, err := random.NewRandomPet(ctx, "pet", &random.RandomPetArgs{Length: pulumi.Int(2)})
		if err != nil {
			return err
		}
		base, err := pulumi.NewStackReference(ctx, "organization/base/dev", nil)
		if err != nil {
			return err
		}
		_, err = corev1.NewConfigMap(ctx, "settings", &corev1.ConfigMapArgs{
			Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String("settings")},
			Data:     pulumi.StringMap{"zone": base.GetStringOutput(pulumi.String("zone")), "pet": pet.ID()},
		})
		if err != nil {
			return err
		}
		ctx.Export("namespace", shop.Namespace)
		ctx.Export("planted", planted)
		return nil
	})
}
