"""An image that is built from a folder and pushed to a repository of the stack."""

import json
from typing import TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build

from components.site import Site
from documents.inputs import Architecture

_KEPT_IMAGES = 10


class ImageArgs(TypedDict):
    """What an image needs. `path` is the build context, with a Dockerfile; `name` ends the repository's name."""

    site: Site
    name: str
    path: str
    architecture: Architecture


class Image(pulumi.ComponentResource):
    """ECR repository and the image in it; `reference` names the image by digest, so a new build is a new deployment."""

    reference: pulumi.Output[str]
    repository_arn: pulumi.Output[str]

    def __init__(self, name: str, args: ImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecs-observability:index:Image", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        site = args["site"]
        repository = aws.ecr.Repository(
            f"{name}-repository",
            name=f"{site.names.prefix}/{args['name']}",
            image_scanning_configuration={"scan_on_push": True},
            # Otherwise `destroy` stops at a repository that still holds what this program pushed.
            force_delete=True,
            tags=site.tags,
            opts=child,
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-lifecycle", repository=repository.name, policy=json.dumps(_LIFECYCLE, sort_keys=True), opts=child
        )
        login = aws.ecr.get_authorization_token_output(
            registry_id=repository.registry_id, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        image = docker_build.Image(
            f"{name}-image",
            context={"location": args["path"]},
            platforms=[_PLATFORMS[args["architecture"]]],
            tags=[pulumi.Output.concat(repository.repository_url, ":", site.names.stack)],
            push=True,
            build_on_preview=False,
            registries=[
                {
                    "address": repository.repository_url,
                    "username": login.user_name,
                    "password": pulumi.Output.secret(login.password),
                }
            ],
            opts=child,
        )
        self.reference = image.ref
        self.repository_arn = repository.arn
        self.register_outputs({"reference": self.reference, "repositoryArn": self.repository_arn})


_PLATFORMS = {
    Architecture.ARM64: docker_build.Platform.LINUX_ARM64,
    Architecture.X86_64: docker_build.Platform.LINUX_AMD64,
}

_LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Storage is paid for by the month",
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": _KEPT_IMAGES},
            "action": {"type": "expire"},
        }
    ]
}
