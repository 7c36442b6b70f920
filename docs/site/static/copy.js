/* Copyright: Contributors to the cloudsec.org_trail collection
   GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later */

/* A button on each example that copies it, of a console only what was typed. */
"use strict";
addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return;
  const typed = (text) => {
    const lines = text.split("\n");
    if (!lines.some((line) => line.startsWith("$ "))) return text;
    let goesOn = false;
    const kept = lines.filter((line) => {
      const keep = goesOn || line.startsWith("$ ");
      goesOn = keep && line.endsWith("\\");
      return keep;
    });
    return kept.map((line) => line.replace(/^\$ /, "")).join("\n") + "\n";
  };
  for (const block of document.querySelectorAll("div.highlight")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(typed(block.querySelector("pre").textContent)).then(() => {
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    });
    block.append(button);
  }
});
