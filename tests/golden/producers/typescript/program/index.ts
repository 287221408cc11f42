import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

const config = new pulumi.Config();

class Shop extends pulumi.ComponentResource {
    public readonly address: pulumi.Output<string>;

    constructor(name: string, args: { tier: string }, opts?: pulumi.ComponentResourceOptions) {
        super("shop:index:Shop", name, args, opts);
        const inside = { parent: this };
        const store = new aws.s3.Bucket(
            `${name}-store`,
            { tags: { tier: args.tier } },
            { ...inside, protect: true, retainOnDelete: true, aliases: [{ name: "old-store" }] },
        );
        new aws.s3.BucketPublicAccessBlock(
            `${name}-private`,
            { bucket: store.id, blockPublicAcls: true, blockPublicPolicy: true },
            inside,
        );
        new aws.s3.BucketObject(
            `${name}-page`,
            { bucket: store.bucket, source: new pulumi.asset.FileAsset("page.html") },
            { ...inside, dependsOn: [store], ignoreChanges: ["tags"] },
        );
        this.address = store.arn;
        this.registerOutputs({ address: this.address, tier: args.tier });
    }
}

const ireland = new aws.Provider("default-ireland", { region: "eu-west-1" });
const shop = new Shop("shop", { tier: "meta" }, { providers: [ireland] });
const password = new random.RandomPassword("password", { length: 24 });
new k8s.core.v1.Secret("login", {
    metadata: { name: "login", namespace: "default" },
    stringData: { password: password.result, planted: config.requireSecret("planted") },
});
new aws.ec2.Instance("worker", { ami: "ami-0123456789abcdef0", instanceType: "m6i.large" });
const base = new pulumi.StackReference("organization/base/dev");
const paris = new aws.Provider("paris", { region: "eu-west-3" });
new aws.sqs.Queue(
    "jobs",
    { delaySeconds: 3, name: pulumi.interpolate`jobs-${base.getOutput("zone")}` },
    { provider: paris },
);
export const address = shop.address;
export const secretAddress = pulumi.secret(shop.address);
export const planted = config.requireSecret("planted");
