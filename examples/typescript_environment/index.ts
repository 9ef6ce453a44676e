import * as aws from "@pulumi/aws";
import * as observability from "@pulumi/ecs-observability";
import * as pulumi from "@pulumi/pulumi";

// An address that holds a key: `pulumi config set --secret alertsEndpoint https://...`
const alertsEndpoint = new pulumi.Config().requireSecret("alertsEndpoint");
const orders = new aws.sqs.Queue("orders");

const shop = new observability.Environment("shop", {
    pattern: "service",
    applications: [
        {
            name: "storefront",
            image: "public.ecr.aws/shop/storefront:1.4.2",
            port: 8080,
            desiredCount: 2,
            environment: { QUEUE: orders.url },
            metrics: { port: 9464 },
        },
    ],
    alerts: {
        subscriptions: [
            { https: alertsEndpoint, severity: "critical" },
            { email: "people@example.com" },
        ],
    },
    protect: true,
});

export const grafanaUrl: pulumi.Output<string | undefined> = shop.grafanaUrl;
export const cluster: pulumi.Output<string> = shop.cluster;
