"""Kinds of resources that cost nothing by themselves.

What is not listed here nor read elsewhere has an unknown price, not none: so only kinds are listed
whose price pages name none, and templates, whose machines are billed with the group that runs them.
"""

from __future__ import annotations

import re
from typing import Final

_FREE: Final = re.compile(
    "|".join(
        (
            r"aws_iam_.+",
            r"aws_(default_)?(vpc|subnet|security_group|route_table|network_acl)",
            r"aws_vpc_(security_group_.+|dhcp_options(_association)?)",
            r"aws_(security_group|network_acl)_rule|aws_(main_)?route_table_association",
            r"aws_route|aws_(egress_only_)?internet_gateway",
            r"aws_(launch_template|launch_configuration|placement_group|key_pair)",
            r"aws_autoscaling_(attachment|lifecycle_hook|policy|schedule|group_tag)",
            r"aws_(volume|network_interface|lb_target_group)_attachment|aws_network_interface",
            r"aws_eip_association|aws_(lb|alb)_(listener|target_group)(_.+)?",
            r"aws_db_(subnet_group|parameter_group|option_group)|aws_rds_cluster_parameter_group",
            r"azurerm_(resource_group|role_assignment|role_definition|user_assigned_identity)",
            r"azurerm_(subnet|network_interface)(_.+)?|azurerm_network_security_(group|rule)",
            r"azurerm_(virtual_network|route_table|route|availability_set)",
            r"azurerm_(proximity_placement_group|virtual_machine_data_disk_attachment)",
            r"google_(project|organization|folder|service_account)(_.+)?",
            r"google_.+_iam_(member|binding|policy)",
            r"google_compute_(network|subnetwork|firewall|route|router|attached_disk)",
            r"google_compute_(region_)?(instance_template|health_check|autoscaler)",
            r"(random|null|tls|local|time|external|template|archive|cloudinit)_.+|terraform_data",
        )
    )
)


def is_free(kind: str) -> bool:
    """Whether resources of the kind cost nothing by themselves."""
    return _FREE.fullmatch(kind) is not None
