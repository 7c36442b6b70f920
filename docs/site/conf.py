# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings with which `make docs` runs Sphinx, offline."""

from __future__ import annotations

from docutils.nodes import reference
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "cloudsec.org_trail"
html_title = "cloudsec.org_trail"
copyright = "Contributors to the cloudsec.org_trail collection"  # noqa: A001 - Sphinx wants this name
extensions = ["myst_parser", "sphinx_antsibull_ext"]
default_role = "any"
pygments_style = "ansible"
html_theme = "sphinx_ansible_theme"
html_theme_options = {
    "documentation_home_url": "https://github.com/cloudsec/org_trail",
    "topbar_links": {"Ansible documentation": "https://docs.ansible.com/"},
    "show_extranav": False,
    "navigation_depth": 1,
}
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["copy.js"]
html_use_index = False

ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
ANSIBLE_LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
"""Where Ansible's documentation has the labels that antsibull-docs refers to; intersphinx would fetch them."""


def link_to_ansible(
    app: Sphinx, environment: BuildEnvironment, node: pending_xref, content: reference
) -> reference | None:
    """Resolve what only Ansible's own documentation defines; all else that is missing stays an error."""
    page = ANSIBLE_LABELS.get(node["reftarget"])
    return reference("", "", content, refuri=ANSIBLE + page, internal=False) if page else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", link_to_ansible)
