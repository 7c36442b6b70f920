# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible inventory plugin organizations_accounts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: organizations_accounts
version_added: 1.0.0
short_description: Every account of an AWS organization as a host
description:
  - Lists the accounts of the organization that the credentials belong to, one host for each.
  - The inventory's file is YAML, has a name that ends in C(.yml) or C(.yaml), and names this plugin. Usual is
    C(organizations_accounts.yml).
  - When it fails, the group C(all) has the reason in C(organizations_accounts_error). The playbooks of this collection
    end with it.
  - "Groups: C(management) and C(log_archive) with one host each, C(members) with all others, and
    C(organizations_accounts) with every host. Also one group per state (C(state_active)), one per root and
    organizational unit (C(ou_abcd_11111111), holding those below it as children) and, when asked for, one per tag
    (C(tag_Stage__prod)) and one per path of organizational unit names (C(unit_Security__Prod))."
  - "Names and tags are text of others, and no two of them share a group: upper and lower case stay, the parts are
    joined by C(__), and what a group's name cannot hold stands there as its code point, C(_x20_) for a space. A warning
    says which names were changed so. The groups of O(keyed_groups) follow Ansible's own rule, by which two texts may
    share one."
  - "Host variables: C(account_id), C(account_name), C(account_state), C(account_ou_path) (like
    C(o-exampleorgid/r-abcd/ou-abcd-11111111/), the form of the condition key C(aws:PrincipalOrgPaths)),
    C(account_joined_at), C(assume_role_arn) and C(assume_role_external_id) (see O(management_role_arn) for the
    management account), with O(tags) C(account_tags), with O(ou_names) C(account_ou_names)."
  - "The group C(organizations_accounts) has the variables C(organization_id), C(management_account_id),
    C(ansible_connection=local) and C(ansible_python_interpreter), so that C(group_vars) can override them."
  - A listing costs one call of C(ListAccounts) for 20 accounts, at most eight in a second as AWS allows it. With the
    cache on and warm it costs none.
author:
  - The cloudsec.org_trail maintainers (@cloudsec)
options:
  plugin:
    description: Name of this plugin.
    required: true
    choices: [cloudsec.org_trail.organizations_accounts]
  assume_role_external_id:
    description: External id for O(assume_role_arn), the role with which the accounts are listed.
    type: str
  role_name:
    description:
      - Name of the role that plays assume in each member account.
      - The role C(coverage) lists the accounts itself when it gets none, and then assumes the role that its own options
        C(coverage_role_name), C(coverage_role_arn_pattern) and C(coverage_role_external_id) name.
    type: str
    default: OrganizationAccountAccessRole
  role_arn_pattern:
    description:
      - ARN of the role that plays assume in each member account. C({partition}), C({account_id}) and C({role_name})
        stand for the values of the account.
    type: str
    default: arn:{partition}:iam::{account_id}:role/{role_name}
  role_external_id:
    description: External id that the trust policies of these roles ask for.
    type: str
  management_role_arn:
    description:
      - ARN of a role that plays assume in the management account.
      - Without it plays work there with the credentials they are given, so those must belong to the management account.
    type: str
  log_archive:
    description:
      - Id or name of the account that holds the log bucket, or several of them of which one must match.
      - Without it an active account named V(LogArchive), V(Log Archive), V(Log archive), V(log-archive) or
        V(SecurityAudit) is taken, if there is one.
      - More than one match is an error that names the candidates.
    type: list
    elements: str
  ous:
    description:
      - Only members below these roots or organizational units, given by id, or by name with O(ou_names=true).
      - One that holds no account at all is warned of.
    type: list
    elements: str
    default: []
  states:
    description: Only members in these states.
    type: list
    elements: str
    choices: [PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED]
    default: []
  account_ids:
    description:
      - Only the members with these ids. An id that no account has is warned of.
      - O(ous), O(states) and O(account_ids) restrict the group C(members). The management and the log archive account
        are always there, because the playbooks need them.
    type: list
    elements: str
    default: []
  hostname:
    description:
      - What a host is called. Of a name, characters that host patterns cannot hold become C(_). The id is at the end of
        names that several accounts share and of names that mean something else to Ansible, such as C(localhost).
    type: str
    choices: [account_id, account_name]
    default: account_id
  tags:
    description: Read the tags of each account, which costs one call per account.
    type: bool
    default: false
  ou_names:
    description: Read the names of the organizational units, which costs one call for each of them.
    type: bool
    default: false
  legacy_group_names:
    description:
      - Adds the groups of tags and of names of organizational units as they were called before version 1.2.0, such as
        C(tag_stage_prod) and C(ou_security_prod).
      - Different tags, names and ids may share one of these groups. So whoever may set tags or create organizational
        units can bring accounts into the groups of others.
    type: bool
    default: false
    version_added: 1.2.0
    deprecated:
      why: Different tags, names and ids may share one of these groups.
      version: 2.0.0
      collection_name: cloudsec.org_trail
      alternatives: The groups C(tag_Stage__prod) and C(unit_Security__Prod).
  rate_share:
    description:
      - Share of AWS Organizations' published call rates to use, V(1.0) for all of it. V(0) means no limit of our own.
    type: float
    default: 1.0
notes:
  - "IAM actions: C(organizations:DescribeOrganization) and C(organizations:ListAccounts), in the management account or
    a delegated administrator."
  - "IAM actions only with certain options: O(tags) C(organizations:ListTagsForResource); O(ou_names)
    C(organizations:ListRoots) and C(organizations:ListOrganizationalUnitsForParent). Where botocore is too old to know
    C(Account.Paths), the last two and C(organizations:ListAccountsForParent) are needed as well."
  - Account names and tags are text of others. They are never taken for templates.
seealso:
  - name: ListAccounts
    description: What AWS answers.
    link: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
"""

EXAMPLES = r"""
# All accounts, with the credentials of the shell
plugin: cloudsec.org_trail.organizations_accounts

---
# The log archive by id, active accounts of one organizational unit, an hour of cache
plugin: cloudsec.org_trail.organizations_accounts
log_archive: ["444455556666"]
states: [ACTIVE]
ous: [ou-abcd-11111111]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/organizations_accounts
cache_timeout: 3600

---
# Another role with an external id, hosts by name, groups by tag and by a name of our own
plugin: cloudsec.org_trail.organizations_accounts
role_arn_pattern: "arn:{partition}:iam::{account_id}:role/audit/{role_name}"
role_name: TrailReader
role_external_id: "4711"
hostname: account_name
tags: true
keyed_groups:
  - key: account_tags.team | default('nobody')
    prefix: team
"""

from dataclasses import asdict
from itertools import islice, pairwise
from typing import Any, NoReturn

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.parsing.dataloader import DataLoader

try:  # ansible-core 2.19 and later: text is a template only where it is trusted
    from ansible.template import trust_as_template
except ImportError:  # before: text is a template unless it is marked
    from ansible.utils.unsafe_proxy import wrap_var

    trust_as_template = None

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.answers import with_checked_answers
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.arn import partition_of
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.deadline import within_deadline
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.errors import refuse, sentence
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.organizations import Organization
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.session import (
    DEFAULT_REGION,
    Role,
    answer_refusal,
    assume_role,
    role_refusal,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._aws.text import printable
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import (
    Account,
    AccountError,
    Filters,
    find_log_archive,
    host_names,
    ou_ids,
    role_arn,
    without_accounts,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.groups import (
    NAMED_OU,
    STATE,
    TAG,
    group_of_id,
    group_of_names,
    is_changed,
)
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.reader import (
    OrganizationAccounts,
    Paces,
    read_organization,
)

EVERYTHING = "organizations_accounts"
SESSION_NAME = "cloudsec.org_trail.inventory"
FAILURE = "organizations_accounts_error"
FIELDS = ("id", "name", "state", "ou_path", "joined_at", "tags", "ou_names")


def template(text: str) -> str:
    """Text that Ansible takes for a template."""
    return trust_as_template(text) if trust_as_template else text


def literal(value: Any) -> Any:
    """A value that Ansible takes literally. Text without braces holds no template and is shown undecorated."""
    if isinstance(value, dict):
        return {literal(key): literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    if "{" in value:
        return value if trust_as_template else wrap_var(value)
    return template(value)


def _plugin_named_in(path: str) -> str:
    """The inventory plugin that a YAML file names, "" when there is none, also because the file is none."""
    try:
        content = DataLoader().load_from_file(path)
    except AnsibleError:
        return ""
    return str(content.get("plugin", "")) if isinstance(content, dict) else ""


class InventoryModule(AWSInventoryBase):
    """Hosts from ListAccounts."""

    NAME = "cloudsec.org_trail.organizations_accounts"
    INVENTORY_FILE_SUFFIXES = ("organizations_accounts.yml", "organizations_accounts.yaml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory from AWS or from the cache. Raises AnsibleParserError."""
        try:
            super().parse(inventory, loader, path, cache=cache)
            self._populate(self._organization(path, cache))
        except (AnsibleAWSError, AnsibleError, AccountError) as error:
            reason = sentence(error) if isinstance(error, AnsibleAWSError) else printable(str(error))
            inventory.set_variable("all", FAILURE, literal(reason))
            raise AnsibleParserError(reason) from error

    def verify_file(self, path: str) -> bool:
        """Whether a file is for this plugin: by its name, or because it says so."""
        return super().verify_file(path) or (path.endswith((".yml", ".yaml")) and _plugin_named_in(path) == self.NAME)

    def _organization(self, path: str, cache: bool) -> OrganizationAccounts:
        hit, stored = self.get_cached_result(path, cache)
        if hit:
            accounts = [Account(**dict(zip(FIELDS, row, strict=True))) for row in stored["accounts"]]
            organization = Organization(stored["id"], stored.get("feature_set", ""), stored["management_account_id"])
            return OrganizationAccounts(organization, accounts)
        found = self._read()
        rows = [[getattr(account, field) for field in FIELDS] for account in found.accounts]
        stored = {
            **asdict(found.organization),
            "accounts": rows,
        }
        self.update_cached_result(path, cache, stored)
        return found

    def _read(self) -> OrganizationAccounts:
        if role := self.get_option("assume_role_arn"):
            self._freeze_iam_role(role)
        paces = Paces(float(self.get_option("rate_share")))
        names, tags = self.get_option("ou_names"), self.get_option("tags")
        return read_organization(self._client("organizations"), paces, names=names, tags=tags)

    def _client(self, service: str) -> Any:
        return with_checked_answers(within_deadline(self.client(service, region=self.region or DEFAULT_REGION)))

    def _populate(self, found: OrganizationAccounts) -> None:
        populate = Populate(self, found)
        for account in found.accounts:
            if populate.wants(account):
                populate.add(account)
        if populate.changed:
            self.display.warning(printable(_told(populate.changed)))

    def construct(self, host: str, variables: dict[str, Any]) -> None:
        """The options of the fragment constructed."""
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)

    # --- what amazon.aws's base does otherwise ------------------------------------------------------

    def get_cache_key(self, path: str) -> str:
        """What was listed without tags or names does not do for who asks for them."""
        extra = [name for name in ("tags", "ou_names") if self.get_option(name)]
        return "_".join([super().get_cache_key(path), *extra])

    def _set_frozen_credentials(self) -> None:
        """The base assumes the role before it looks into the cache; `_read` does when there is something to read."""

    def _freeze_iam_role(self, iam_role_arn: str) -> None:
        """Assume the role with a session name that fits STS's 64 characters, and with the external id."""
        role = Role(iam_role_arn, SESSION_NAME, self.get_option("assume_role_external_id") or "")
        answer = assume_role(self._client("sts"), role)
        refuse(answer_refusal(role.arn, answer))
        keys = answer["Credentials"]
        self._frozen_credentials = {
            "profile_name": None,
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }

    def _do_fail(self, message: str) -> NoReturn:
        raise AnsibleParserError(message)


class Populate:
    """Puts the accounts of an organization into the inventory of a plugin."""

    def __init__(self, plugin: InventoryModule, found: OrganizationAccounts) -> None:
        self._plugin = plugin
        self._inventory = plugin.inventory
        option = plugin.get_option
        organization = found.organization
        self._management = organization.management_account_id
        self._partition = partition_of(plugin.region or DEFAULT_REGION)
        log_archive = find_log_archive(found.accounts, option("log_archive") or [])
        self._log_archive = log_archive.id if log_archive else ""
        self._filters = Filters(*(frozenset(option(name)) for name in ("ous", "states", "account_ids")))
        for name in without_accounts(self._filters, found.accounts, ou_names=option("ou_names")):
            warning = f"No account of the organization is {name} or below it, so it adds no host."
            plugin.display.warning(printable(warning))
        self._names = host_names(found.accounts, option("hostname") == "account_name")
        self._role = (option("role_arn_pattern"), option("role_name"), self._partition)
        self._external_id = option("role_external_id")
        self._management_role = option("management_role_arn")
        refuse(role_refusal(self._management_role or "", self._management))
        self._optional = {f"account_{name}": name for name in ("tags", "ou_names") if option(name)}
        self._constructs = any(option(name) for name in ("compose", "groups", "keyed_groups"))
        self._parents: dict[str, str] = {}
        self._groups_made: set[str] = set()
        self._legacy = option("legacy_group_names")
        self.changed: dict[str, tuple[str, ...]] = {}
        """Groups whose names are not their parts as they are."""
        self._common = {
            "organization_id": literal(organization.id),
            "management_account_id": literal(organization.management_account_id),
            "ansible_connection": literal("local"),
            "ansible_python_interpreter": template("{{ ansible_playbook_python }}"),
        }
        for group in (EVERYTHING, "management", "log_archive", "members"):
            self._inventory.add_group(group)
        for name, value in self._common.items():
            self._inventory.set_variable(EVERYTHING, name, value)

    def wants(self, account: Account) -> bool:
        return account.id in (self._management, self._log_archive) or self._filters.admit(account)

    def add(self, account: Account) -> None:
        """One host with its variables and groups."""
        host = self._names[account.id]
        variables = self._variables(account)
        self._inventory.add_host(host, group=EVERYTHING)
        self._inventory.hosts[host].vars |= variables
        for group in self._groups(account):
            self._inventory.add_child(group, host)
        if self._constructs:
            self._plugin.construct(host, {**self._common, **variables})

    def _variables(self, account: Account) -> dict[str, Any]:
        role = self._management_role if account.id == self._management else role_arn(*self._role, account.id)
        variables = {
            "account_id": account.id,
            "account_name": account.name,
            "account_state": account.state,
            "account_ou_path": account.ou_path,
            "account_joined_at": account.joined_at,
            **{name: getattr(account, field) for name, field in self._optional.items()},
        }
        if role:
            variables["assume_role_arn"] = role
        if role and self._external_id:
            variables["assume_role_external_id"] = self._external_id
        return {name: literal(value) for name, value in variables.items()}

    def _groups(self, account: Account) -> list[str]:
        groups = []
        if account.id == self._management:
            groups.append("management")
        if account.id == self._log_archive:
            groups.append("log_archive")
        groups = groups or ["members"]
        if account.state:
            groups.append(self._made(STATE + account.state.lower()))
        if account.ou_path:
            groups.append(self._nested([group_of_id(unit) for unit in ou_ids(account.ou_path)]))
        groups += [self._group(TAG, *tag) for tag in account.tags.items()]
        below_root = account.ou_names[1:]
        paths = [below_root[: depth + 1] for depth in range(len(below_root))]
        if paths:
            groups.append(self._nested([self._group(NAMED_OU, *path) for path in paths]))
        if self._legacy:
            groups += [self._made(legacy_group("tag", *tag)) for tag in account.tags.items()]
            groups += [self._nested([legacy_group("ou", *path) for path in paths])] if paths else []
        return groups

    def _nested(self, chain: list[str]) -> str:
        """The last group of a chain, each of which is a child of the one before it."""
        for group in chain:
            self._made(group)
        for parent, child in pairwise(chain):
            if self._parents.get(child) != parent:
                self._inventory.add_child(parent, child)
                self._parents[child] = parent
        return chain[-1]

    def _group(self, prefix: str, *parts: str) -> str:
        name = group_of_names(prefix, *parts)
        if any(map(is_changed, parts)):
            self.changed[name] = parts
        return self._made(name)

    def _made(self, group: str) -> str:
        if group not in self._groups_made:
            self._inventory.add_group(group)
            self._groups_made.add(group)
        return group


def legacy_group(*parts: str) -> str:
    """The name of a group before version 1.2.0, which different parts may share."""
    name: str = to_safe_group_name("_".join(parts).lower(), force=True, silent=True)
    return name


def _told(changed: dict[str, tuple[str, ...]]) -> str:
    """Which names do not stand in their groups' names as they are: the first three, and how many more."""
    names = [f"{'/'.join(parts)!r} is {group}" for group, parts in islice(changed.items(), 3)]
    more = f", and {len(changed) - len(names)} more" if len(changed) > len(names) else ""
    return f"Tags and names that a group's name cannot hold as they are were changed: {', '.join(names)}{more}."
