"""Harbor's configuration of what is not there: its clients read every key, and stumble over a missing one."""

from typing import Final

_TEXTS: Final = """
    ldap_base_dn ldap_filter ldap_group_admin_dn ldap_group_attribute_name ldap_group_base_dn
    ldap_group_membership_attribute ldap_group_search_filter ldap_search_dn ldap_uid ldap_url
    oidc_admin_group oidc_client_id oidc_endpoint oidc_extra_redirect_parms oidc_group_filter
    oidc_groups_claim oidc_name oidc_scope oidc_user_claim
    http_authproxy_admin_groups http_authproxy_admin_usernames http_authproxy_endpoint
    http_authproxy_server_certificate http_authproxy_tokenreview_endpoint
    uaa_client_id uaa_client_secret uaa_endpoint
"""
_NUMBERS: Final = "ldap_group_search_scope ldap_scope ldap_timeout"
_SWITCHES: Final = """
    ldap_group_attach_parallel ldap_verify_cert oidc_auto_onboard oidc_logout oidc_verify_cert
    http_authproxy_skip_search http_authproxy_verify_cert uaa_verify_cert
"""

ABSENT: Final[dict[str, bool | int | str]] = {
    **dict.fromkeys(_TEXTS.split(), ""),
    **dict.fromkeys(_NUMBERS.split(), 0),
    **dict.fromkeys(_SWITCHES.split(), False),
    "scan_all_policy": '{"type":"none"}',
}

READ_ONLY: Final = frozenset({"scan_all_policy"})
"""What Harbor shows here, changes elsewhere, and takes no notice of in a change."""
