"""What a stack would deploy, without a cloud and without the Pulumi CLI."""
