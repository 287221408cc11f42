"""Files that tasks of a service share and that outlive them: EFS, encrypted, by TLS, for one user."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2, efs, vpc

from components.aws.application_site import Site
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier

NFS_PORT = 2049


class AwsSharedFiles(SkerryComponent):
    """Makes a file system with a place to mount it in each zone; services with a single writer never get one."""

    def __init__(self, name: str, site: Site, user: int, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the file system.

        Args:
            name: the component's name.
            site: what it stands on.
            user: who owns the files.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(
            tier=Tier.META,
            data_class=site.spec.data_class,
            role="shared-files",
            stateful=True,
            failure_domains=len(site.spec.target.failure_domains),
            encrypted_at_rest=True,
            encrypted_in_transit=True,
            ports={"nfs": NFS_PORT},
        )
        super().__init__(name, facts, opts)
        group = self._access(site)
        self.system = efs.FileSystem(
            self.child_name("system"),
            encrypted=True,
            kms_key_id=site.key_arn,
            throughput_mode="elastic",
            tags=tier_tag(Tier.META),
            opts=self.store_options(),
        )
        efs.BackupPolicy(
            self.child_name("backup"),
            file_system_id=self.system.id,
            backup_policy={"status": "ENABLED"},
            opts=self.child_options(),
        )
        for zone, subnet in zip(site.spec.target.failure_domains, site.network.subnet_ids, strict=True):
            efs.MountTarget(
                self.child_name(zone),
                file_system_id=self.system.id,
                subnet_id=subnet,
                security_groups=[group.id],
                opts=self.child_options(),
            )
        owner = {"owner_uid": user, "owner_gid": user, "permissions": "0750"}
        self.point = efs.AccessPoint(
            self.child_name("point"),
            file_system_id=self.system.id,
            posix_user={"uid": user, "gid": user},
            root_directory={"path": "/files", "creation_info": owner},
            opts=self.child_options(),
        )
        self.finish()

    def _access(self, site: Site) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self.child_name("access"),
            vpc_id=site.network.vpc_id,
            description="NFS from the services of the deployment only",
            opts=self.child_options(),
        )
        vpc.SecurityGroupIngressRule(
            self.child_name("from-services"),
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            referenced_security_group_id=site.access.everybody,
            description="from the services",
            opts=self.child_options(),
        )
        vpc.SecurityGroupEgressRule(
            self.child_name("to-files"),
            security_group_id=site.access.everybody,
            ip_protocol="tcp",
            from_port=NFS_PORT,
            to_port=NFS_PORT,
            referenced_security_group_id=group.id,
            description="to shared files",
            opts=self.child_options(),
        )
        return group

    def volume(self) -> dict[str, Any]:
        """Return the volume of a task: by TLS, as the service's own role."""
        return {
            "name": "files",
            "efs_volume_configuration": {
                "file_system_id": self.system.id,
                "transit_encryption": "ENABLED",
                "authorization_config": {"access_point_id": self.point.id, "iam": "ENABLED"},
            },
        }
