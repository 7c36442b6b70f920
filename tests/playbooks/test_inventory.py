# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, through ansible-inventory and the main playbook, against the lab."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.accounts import ou_ids
from ansible_collections.cloudsec.org_trail.plugins.module_utils._organization.groups import (
    NAMED_OU,
    TAG,
    group_of_id,
    group_of_names,
)

from tests.ansible_run import BIN, ROOT, ansible_environment, run_playbook
from tests.lab_process import MEMBER_ROLE, Lab

Listing = dict[str, Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    with Lab("--accounts", "45") as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Lab:
    shared.control("POST", "options", {"account_paths": True, "empty_pages": False, "account_status_retired": False})
    shared.control("POST", "faults", [])
    shared.clear_journal()
    return shared


def source(folder: Path, **options: Any) -> str:
    """An inventory file; JSON is YAML. The lab needs no rate limit."""
    path = folder / "organizations_accounts.yml"
    path.write_text(json.dumps({"plugin": "cloudsec.org_trail.organizations_accounts", "rate_share": 0.0, **options}))
    return str(path)


def run(lab: Lab, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = ansible_environment(lab, str(folder)) | {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1"}
    command = [str(BIN / "ansible-inventory"), "-i", source(folder, **options), "--list"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def listing(lab: Lab, folder: Path, **options: Any) -> Listing:
    completed = run(lab, folder, **options)
    assert completed.returncode == 0, completed.stderr
    result: Listing = json.loads(completed.stdout)
    return result


def hosts(listing: Listing, group: str) -> list[str]:
    """The hosts of a group and of the groups below it."""
    found = listing.get(group, {})
    return sorted(
        {*found.get("hosts", []), *(one for child in found.get("children", []) for one in hosts(listing, child))}
    )


def variables(listing: Listing, host: str) -> dict[str, Any]:
    found: dict[str, Any] = listing["_meta"]["hostvars"][host]
    return found


def calls(lab: Lab) -> Counter[str]:
    return Counter(entry["operation"] for entry in lab.journal())


def test_groups_and_variables(lab: Lab, tmp_path: Path) -> None:
    found = listing(lab, tmp_path)
    assert hosts(found, "management") == [lab.management]
    assert hosts(found, "log_archive") == [lab.log_archive]
    assert len(hosts(found, "members")) == 43
    assert len(hosts(found, "organizations_accounts")) == 45
    account = lab.client("organizations").describe_account(AccountId=lab.log_archive)["Account"]
    path = account["Paths"][0].removesuffix(f"{lab.log_archive}/")
    assert variables(found, lab.log_archive) == {
        "account_id": lab.log_archive,
        "account_joined_at": "2024-01-15T09:30:00+00:00",
        "account_name": "SecurityAudit",
        "account_ou_path": path,
        "account_state": "ACTIVE",
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "assume_role_arn": f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}",
        "management_account_id": lab.management,
        "organization_id": lab.organization_id,
    }
    assert "assume_role_arn" not in variables(found, lab.management)
    root, unit = path.split("/")[1:3]
    assert hosts(found, unit.replace("-", "_")) == [lab.log_archive]
    assert len(hosts(found, root.replace("-", "_"))) == 45
    assert len(hosts(found, "state_active")) == 45


def test_lists_accounts_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    listing(lab, tmp_path)
    assert calls(lab) == {"ListAccounts": 3, "DescribeOrganization": 1}


def test_warm_cache_makes_no_call(lab: Lab, tmp_path: Path) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    role = {"assume_role_arn": f"arn:aws:iam::{lab.log_archive}:role/{MEMBER_ROLE}"}
    cold = listing(lab, tmp_path, **cache)
    lab.clear_journal()
    assert listing(lab, tmp_path, **cache, **role) == cold
    assert calls(lab) == {}
    named = listing(lab, tmp_path, **cache, ou_names=True)
    assert variables(named, lab.log_archive)["account_ou_names"][-1] == "Security"


def test_walks_the_tree_without_paths(lab: Lab, tmp_path: Path) -> None:
    with_paths = listing(lab, tmp_path)
    lab.control("POST", "options", {"account_paths": False, "account_status_retired": True, "empty_pages": True})
    assert listing(lab, tmp_path) == with_paths


def test_falls_back_to_status(tmp_path: Path, lab: Lab) -> None:
    lab.control("POST", "options", {"account_status_retired": True})
    assert variables(listing(lab, tmp_path), lab.log_archive)["account_state"] == "ACTIVE"


def test_groups_by_names_and_tags(lab: Lab, tmp_path: Path) -> None:
    tag = {"Key": "Stage", "Value": "{{ 'Prod' }}"}
    lab.client("organizations").tag_resource(ResourceId=lab.log_archive, Tags=[tag])
    found = listing(
        lab, tmp_path, ou_names=True, tags=True, keyed_groups=[{"key": "account_id[:1]", "prefix": "first"}]
    )
    assert hosts(found, "unit_Security") == [lab.log_archive]
    assert hosts(found, group_of_names(TAG, "Stage", "{{ 'Prod' }}")) == [lab.log_archive]
    assert "ou_security" not in found
    assert variables(found, lab.log_archive)["account_tags"] == {"Stage": {"__ansible_unsafe": "{{ 'Prod' }}"}}
    assert lab.log_archive in hosts(found, f"first_{lab.log_archive[0]}")
    assert calls(lab)["ListTagsForResource"] == 45


def test_nobody_joins_the_group_of_another_by_a_name(lab: Lab, tmp_path: Path) -> None:
    organizations = lab.client("organizations")
    security = ou_ids(variables(listing(lab, tmp_path), lab.log_archive)["account_ou_path"])[-1]
    root = organizations.list_roots()["Roots"][0]["Id"]
    names = [security.removeprefix("ou-"), "Secu-rity", "Secu rity"]
    units = [organizations.create_organizational_unit(ParentId=root, Name=name) for name in names]
    members = hosts(listing(lab, tmp_path), "members")[:3]
    for member, unit in zip(members, units, strict=True):
        parent = organizations.list_parents(ChildId=member)["Parents"][0]["Id"]
        organizations.move_account(
            AccountId=member, SourceParentId=parent, DestinationParentId=unit["OrganizationalUnit"]["Id"]
        )
    for member, (key, value) in zip(members, [("a", "b_c"), ("a_b", "c"), ("A-b", "c")], strict=True):
        organizations.tag_resource(ResourceId=member, Tags=[{"Key": key, "Value": value}])
    completed = run(lab, tmp_path, ou_names=True, tags=True)
    found = json.loads(completed.stdout)
    assert hosts(found, group_of_id(security)) == [lab.log_archive]
    for member, name in zip(members, names, strict=True):
        assert hosts(found, group_of_names(NAMED_OU, name)) == [member]
    assert hosts(found, "tag_a__b_c") == [members[0]]
    assert hosts(found, "tag_a_b__c") == [members[1]]
    told = " ".join(completed.stderr.split())
    assert "'Secu-rity' is unit_Secu_x2d_rity" in told
    assert " more." in told
    old = run(lab, tmp_path, ou_names=True, tags=True, legacy_group_names=True)
    assert old.returncode == 0, old.stderr
    assert set(members[1:]) <= set(hosts(json.loads(old.stdout), "tag_a_b_c"))
    assert hosts(json.loads(old.stdout), "ou_secu_rity") == sorted(members[1:])
    assert "legacy_group_names" in old.stderr


def test_filters_leave_management_and_log_archive(lab: Lab, tmp_path: Path) -> None:
    member = hosts(listing(lab, tmp_path), "members")[0]
    found = listing(lab, tmp_path, account_ids=[member])
    assert hosts(found, "organizations_accounts") == sorted([lab.management, lab.log_archive, member])
    assert hosts(listing(lab, tmp_path, states=["SUSPENDED"]), "members") == []


def test_roles(lab: Lab, tmp_path: Path) -> None:
    found = listing(
        lab,
        tmp_path,
        role_arn_pattern="arn:{partition}:iam::{account_id}:role/audit/{role_name}",
        role_name="Reader",
        role_external_id="4711",
        management_role_arn=f"arn:aws:iam::{lab.management}:role/M",
        hostname="account_name",
    )
    member = variables(found, "SecurityAudit")
    assert member["assume_role_arn"] == f"arn:aws:iam::{lab.log_archive}:role/audit/Reader"
    assert member["assume_role_external_id"] == "4711"
    assert variables(found, "Management")["assume_role_arn"] == f"arn:aws:iam::{lab.management}:role/M"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"log_archive": ["SecurityAudit", "Management"]}, ["ambiguous", "(SecurityAudit)", "(Management)"]),
        ({"log_archive": ["Nobody"]}, ["Nobody", "expected the log archive account"]),
        ({"ous": ["Security"]}, ["ous holds 'Security'", "Set ou_names"]),
        ({"role_arn_pattern": "arn:aws:iam::1:role/x"}, ["role_arn_pattern", "{account_id}"]),
        (
            {"management_role_arn": "arn:aws:iam::123456789012:role/x"},
            ["belongs to account 123456789012", "expected a role"],
        ),
        ({"assume_role_arn": "arn:aws:iam::123456789012:role/x"}, ["assume the role", "AccessDenied"]),
    ],
)
def test_errors(lab: Lab, tmp_path: Path, options: dict[str, Any], words: list[str]) -> None:
    completed = run(lab, tmp_path, **options)
    text = " ".join(completed.stderr.split())
    assert completed.returncode != 0
    assert all(word in text for word in words), text
    assert "Traceback" not in text


def test_warns_of_filters_without_accounts(lab: Lab, tmp_path: Path) -> None:
    completed = run(lab, tmp_path, account_ids=["123456789012"])
    assert "No account of the organization is 123456789012 or below it" in " ".join(completed.stderr.split())
    assert completed.returncode == 0


def test_throttling_is_waited_for(lab: Lab, tmp_path: Path) -> None:
    lab.control(
        "POST", "faults", [{"service": "organizations", "operation": "ListAccounts", "fault": "throttle", "every": 2}]
    )
    assert len(hosts(listing(lab, tmp_path), "organizations_accounts")) == 45


def test_main_playbook_runs_with_it(tmp_path: Path) -> None:
    with Lab() as lab:
        run_playbook(lab, "playbooks/enable_org_trail.yml", "-i", source(tmp_path)).ok()
        assert lab.client("cloudtrail").get_trail(Name=lab.trail_arn)["Trail"]["IsOrganizationTrail"]


def test_example_inventory_is_parsed(lab: Lab, tmp_path: Path) -> None:
    example = ROOT / "playbooks/inventory/organizations_accounts.yml"
    copy = tmp_path / "organizations_accounts.yml"
    copy.write_text(example.read_text())
    command = [str(BIN / "ansible-inventory"), "-i", str(copy), "--graph", "management"]
    environment = ansible_environment(lab, str(tmp_path))
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert lab.management in shown


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        (
            "organizations_accounts.yml",
            {"log_archive": ["{{ Nobody }}"]},
            "could not be read: No active account of the",
        ),
        ("accounts.yaml", {"ous": ["Security"]}, "could not be read: ous holds 'Security'"),
        (
            "accounts.txt",
            {},
            "and a name that ends in .yml. Read was ",
        ),
    ],
)
def test_the_playbook_ends_with_the_reason(
    lab: Lab, tmp_path: Path, name: str, options: dict[str, Any], words: str
) -> None:
    path = Path(source(tmp_path, **options)).rename(tmp_path / name)
    result = run_playbook(lab, "playbooks/enable_org_trail.yml", "-i", str(path))
    assert result.rc != 0
    assert words in result.stdout
    assert "hold 0 and 0 hosts" in result.stdout
    assert calls(lab).keys() <= {"DescribeOrganization", "ListAccounts"}


def test_missing_credentials_are_the_reason(lab: Lab, tmp_path: Path) -> None:
    nobody: dict[str, str | None] = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))
    nobody["AWS_EC2_METADATA_DISABLED"] = "true"
    result = run_playbook(lab, "playbooks/enable_org_trail.yml", "-i", source(tmp_path), environment=nobody)
    assert "could not be read: Failed to describe the organization: Unable to locate credentials" in result.stdout
    assert "Set AWS_PROFILE" in result.stdout


def test_any_yaml_file_that_names_the_plugin_is_read(lab: Lab, tmp_path: Path) -> None:
    path = Path(source(tmp_path)).rename(tmp_path / "accounts.yml")
    command = [str(BIN / "ansible-inventory"), "-i", str(path), "--graph", "management"]
    shown = subprocess.run(
        command, cwd=ROOT, env=ansible_environment(lab, str(tmp_path)), capture_output=True, text=True, check=True
    )
    assert lab.management in shown.stdout
