/* Copyright: Contributors to the cloudsec.org_trail collection
   GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later

   The matrix of the coverage report. Its data is described at page_matrix in module_utils/_report/page.py.
   Text from outside (names, reasons) reaches the page through textContent and setAttribute alone. */
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { regions, names, statuses } = data;
  const byLetter = new Map(statuses.map((status, rank) => [status.letter, { ...status, rank }]));
  const OVERSCAN = 10;
  const PRINT_LIMIT = 1000;
  const FEW = 25; /* so many accounts are all in sight, without a scroll bar of their own */

  const find = (id) => document.getElementById(id);
  const grid = find("grid");
  const head = grid.querySelector(".head");
  const body = grid.querySelector(".rows");
  const overview = find("overview");
  const inputs = { text: find("text"), ou: find("ou"), region: find("region"), order: find("order") };

  /* What an account is. Accounts are numbers, 0 to names.length - 1. */
  const idOf = (account) => data.ids.slice(account * 12, account * 12 + 12);
  const ouOf = (account) => data.ous[data.ou[account]];
  const nameOf = (account) => names[account] || idOf(account);
  const statusAt = (account, region) => byLetter.get(data.cells[account * regions.length + region]);
  let split = ["", [""]]; /* the last line and its parts: callers ask for one region after the other */
  const part = (line, region) => {
    if (split[0] !== line) split = [line, line.split(",")];
    return split[1][split[1].length > 1 ? region : 0];
  };
  const reasonAt = (account, region) => {
    const number = part(data.why[account], region);
    const text = number === "" ? "" : data.reasons[parseInt(number, 36)];
    return text.replaceAll("{account}", idOf(account)).replaceAll("{region}", regions[region]);
  };
  const minuteAt = (account, region) => {
    const age = part(data.seen[account], region);
    return age === "" ? null : data.until - parseInt(age, 36);
  };
  const oldest = (account) => {
    const minutes = view.columns.map((region) => minuteAt(account, region)).filter((minute) => minute !== null);
    return Math.min(...minutes); /* Infinity where nothing is known */
  };
  const utc = (minute) => new Date(minute * 60000).toISOString().replace("T", " ").slice(0, 16) + " UTC";

  /* What is shown. rows: accounts in order; columns: regions; at: the cell with the focus (column 0 is the account). */
  const view = { rows: [], columns: regions.map((_, region) => region), at: { row: 0, column: 0 }, up: true, by: -1 };
  const wanted = new Set();
  const drawn = new Map();
  let printing = false;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function badge(status) {
    return element("span", { class: `badge ${status.name}`, "aria-hidden": "true" }, status.letter);
  }

  function worst(account) {
    let rank = Infinity;
    for (const region of view.columns) rank = Math.min(rank, statusAt(account, region).rank);
    return rank;
  }

  function exceptions(account) {
    return view.columns.filter((region) => statusAt(account, region).exception).length;
  }

  /* Filter and order */
  function matches(account, words, ou) {
    if (ou && ouOf(account) !== ou && !ouOf(account).startsWith(ou + "/")) return false;
    if (words && !`${nameOf(account)}\n${idOf(account)}\n${ouOf(account)}`.toLowerCase().includes(words)) return false;
    return !wanted.size || view.columns.some((region) => wanted.has(statusAt(account, region).name));
  }

  const text = (left, right) => (left < right ? -1 : left > right ? 1 : 0);
  const orders = {
    name: () => (left, right) => text(nameOf(left).toLowerCase(), nameOf(right).toLowerCase()),
    id: () => (left, right) => left - right,
    ou: () => (left, right) => text(ouOf(left), ouOf(right)),
    seen: () => byNumber(oldest),
    worst: () => {
      const rank = remembered(worst);
      const number = remembered(exceptions);
      return (left, right) => rank(left) - rank(right) || number(right) - number(left);
    },
    region: () => (left, right) => statusAt(left, view.by).rank - statusAt(right, view.by).rank,
  };

  function remembered(measure) {
    const known = new Map();
    return (account) => {
      if (!known.has(account)) known.set(account, measure(account));
      return known.get(account);
    };
  }

  function byNumber(measure) {
    const number = remembered(measure);
    return (left, right) => (number(left) === number(right) ? 0 : number(left) - number(right));
  }

  function update() {
    const words = inputs.text.value.trim().toLowerCase();
    const only = inputs.region.value;
    view.columns = regions.map((_, region) => region).filter((region) => only === "" || String(region) === only);
    const compare = orders[inputs.order.value]();
    const sign = view.up ? 1 : -1;
    view.rows = names.map((_, account) => account).filter((account) => matches(account, words, inputs.ou.value));
    view.rows.sort((left, right) => sign * compare(left, right) || text(nameOf(left), nameOf(right)) || left - right);
    view.at = { row: 0, column: Math.min(view.at.column, view.columns.length) };
    const shown = view.rows.reduce((sum, account) => sum + exceptions(account), 0);
    find("shown").textContent =
      `${view.rows.length.toLocaleString("en")} of ${names.length.toLocaleString("en")} accounts, ` +
      `${shown.toLocaleString("en")} ${shown === 1 ? "exception" : "exceptions"}`;
    find("copy").disabled = !shown;
    drawHead();
    grid.scrollTop = 0;
    redraw();
  }

  /* The exceptions shown, one a line with tabs between, as spreadsheets take them; a name of theirs is no formula. */
  function table() {
    const lines = [["Account id", "Account", "Organizational unit", "Region", "Status", "Reason"]];
    for (const account of view.rows) {
      for (const region of view.columns) {
        const status = statusAt(account, region);
        if (!status.exception) continue;
        lines.push([idOf(account), nameOf(account), ouOf(account), regions[region], status.title, reasonAt(account, region)]);
      }
    }
    const plain = (value) => value.replace(/\s+/g, " ").replace(/^[=+@-]/, "'$&");
    return lines.map((line) => line.map(plain).join("\t")).join("\n") + "\n";
  }

  /* Draw: only the rows in sight, and the one with the focus */
  function rowHeight() {
    return parseFloat(getComputedStyle(grid).getPropertyValue("--row"));
  }

  function drawHead() {
    grid.style.setProperty("--regions", view.columns.length);
    grid.setAttribute("aria-rowcount", view.rows.length + 1);
    grid.setAttribute("aria-colcount", view.columns.length + 2);
    const order = inputs.order.value;
    const line = element("div", { class: "line", role: "row", "aria-rowindex": 1 });
    line.append(title("who", "Account", "name", order === "name"), title("unit", "Organizational unit", "ou", order === "ou"));
    for (const region of view.columns) {
      line.append(title("cell place", regions[region], "region", order === "region" && view.by === region, region));
    }
    head.replaceChildren(line);
  }

  function title(kind, label, order, active, region = -1) {
    const button = element("button", { type: "button", title: `Order by ${label}` }, label);
    button.addEventListener("click", () => {
      view.up = active ? !view.up : true;
      view.by = region;
      inputs.order.value = order;
      update();
    });
    const content = printing ? element("span", {}, label) : button; /* Chromium repeats no buttons on further pages */
    const sort = active ? (view.up ? "ascending" : "descending") : "none";
    return element("div", { class: kind, role: "columnheader", "aria-sort": sort }, content);
  }

  function drawRow(row) {
    const account = view.rows[row];
    const line = element("div", { class: "line", role: "row", "aria-rowindex": row + 2 });
    line.style.top = `${row * rowHeight()}px`;
    line.append(
      element("div", { class: "who", role: "rowheader" }, element("bdi", { title: nameOf(account) }, nameOf(account)), element("span", { class: "id" }, idOf(account))),
      element("div", { class: "unit", role: "gridcell" }, element("bdi", { title: ouOf(account) }, ouOf(account))),
    );
    for (const region of view.columns) {
      const status = statusAt(account, region);
      const label = `${regions[region]}: ${status.title}`;
      line.append(element("div", { class: "cell", role: "gridcell", "aria-label": label, title: label }, badge(status)));
    }
    [...line.children].forEach((cell, column) => {
      cell.dataset.row = row;
      cell.dataset.column = columnOf(column);
      cell.tabIndex = row === view.at.row && columnOf(column) === view.at.column && column !== 1 ? 0 : -1;
    });
    return line;
  }

  /* The unit is no stop of its own: column 0 is the account, 1 and on are the regions. */
  function columnOf(child) {
    return Math.max(0, child - 1);
  }

  function rowsInSight() {
    if (printing) return view.rows.map((_, row) => row);
    const height = rowHeight();
    const first = Math.max(0, Math.floor(grid.scrollTop / height) - OVERSCAN);
    const last = Math.min(view.rows.length, Math.ceil((grid.scrollTop + grid.clientHeight) / height) + OVERSCAN);
    const rows = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
    if (view.at.row < view.rows.length && (view.at.row < first || view.at.row >= last)) rows.push(view.at.row);
    return rows;
  }

  function draw() {
    const rows = new Set(rowsInSight());
    for (const [row, line] of drawn) {
      if (!rows.has(row)) {
        line.remove();
        drawn.delete(row);
      }
    }
    for (const row of rows) {
      if (drawn.has(row)) continue;
      const line = drawRow(row);
      drawn.set(row, line);
      const after = [...drawn.keys()].filter((other) => other > row);
      body.insertBefore(line, after.length ? drawn.get(Math.min(...after)) : null);
    }
    drawOverview();
  }

  function redraw() {
    body.replaceChildren();
    drawn.clear();
    body.style.height = `${view.rows.length * rowHeight()}px`;
    painted = null;
    draw();
  }

  /* The overview: the whole matrix at a glance, where it is longer than the window */
  let painted = null;

  function drawOverview() {
    const useful = !printing && grid.scrollHeight > grid.clientHeight + 1 && view.rows.length > 40;
    overview.classList.toggle("useful", useful);
    if (!useful) return;
    const height = grid.clientHeight;
    painted = painted?.height === height ? painted : paint(height);
    overview.width = 44;
    overview.height = height;
    const context = overview.getContext("2d");
    context.putImageData(painted, 0, 0);
    const style = getComputedStyle(document.documentElement);
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = 2;
    const share = height / grid.scrollHeight;
    context.strokeRect(1, grid.scrollTop * share + 1, 42, Math.max(8, grid.clientHeight * share) - 2);
  }

  function paint(height) {
    const image = new ImageData(44, height);
    const colours = statuses.map((status) => rgb(status));
    for (let y = 0; y < height; y++) {
      const first = Math.floor((y * view.rows.length) / height);
      const last = Math.max(first + 1, Math.floor(((y + 1) * view.rows.length) / height));
      for (let x = 0; x < 44; x++) {
        const region = view.columns[Math.floor((x * view.columns.length) / 44)];
        let rank = Infinity;
        for (let row = first; row < last; row++) rank = Math.min(rank, statusAt(view.rows[row], region).rank);
        image.data.set(colours[rank], (y * 44 + x) * 4);
      }
    }
    return image;
  }

  function rgb(status) {
    const sample = element("span", { class: `badge ${status.name}` });
    body.append(sample);
    const style = getComputedStyle(sample);
    const found = style.backgroundColor.match(/[\d.]+/g).map(Number);
    const colour = found.length === 4 && found[3] === 0 ? style.borderTopColor.match(/[\d.]+/g).map(Number) : found;
    sample.remove();
    if (status.name === "region_disabled" || status.name === "account_closed") return [128, 128, 128, 60];
    return [...colour.slice(0, 3), 255];
  }

  /* The focus */
  function cellAt({ row, column }) {
    return drawn.get(row)?.children[column === 0 ? 0 : column + 1];
  }

  function go(row, column, focus = true) {
    if (!view.rows.length) return;
    const before = cellAt(view.at);
    if (before) before.tabIndex = -1;
    view.at = {
      row: Math.max(0, Math.min(view.rows.length - 1, row)),
      column: Math.max(0, Math.min(view.columns.length, column)),
    };
    const height = rowHeight();
    const top = view.at.row * height;
    const room = grid.clientHeight - head.offsetHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + height > grid.scrollTop + room) grid.scrollTop = top + height - room;
    draw();
    const cell = cellAt(view.at);
    cell.tabIndex = 0;
    if (focus) cell.focus({ preventScroll: true });
    if (focus && view.at.column > 0) reveal(cell);
    describe();
  }

  function reveal(cell) {
    const left = drawn.get(view.at.row).firstChild.offsetWidth;
    if (cell.offsetLeft - left < grid.scrollLeft) grid.scrollLeft = cell.offsetLeft - left;
    const right = cell.offsetLeft + cell.offsetWidth;
    if (right > grid.scrollLeft + grid.clientWidth) grid.scrollLeft = right - grid.clientWidth;
  }

  function jump(step) {
    for (let row = view.at.row + step; row >= 0 && row < view.rows.length; row += step) {
      const region = view.columns.findIndex((one) => statusAt(view.rows[row], one).exception);
      if (region >= 0) return go(row, region + 1);
    }
  }

  function describe() {
    const account = view.rows[view.at.row];
    const who = element("h3", {}, element("bdi", {}, nameOf(account)), element("span", { class: "id" }, idOf(account)));
    const state = data.states[data.state[account]];
    const place = [ouOf(account), state && state !== "ACTIVE" ? state : ""].filter(Boolean).join(" · ");
    const content = [who, ...(place ? [element("p", { class: "hint" }, element("bdi", {}, place))] : [])];
    content.push(...(view.at.column === 0 ? describeAccount(account) : describeCell(account, view.columns[view.at.column - 1])));
    find("details").replaceChildren(...content);
  }

  function describeAccount(account) {
    const counts = new Map();
    for (const region of view.columns) counts.set(statusAt(account, region).title, (counts.get(statusAt(account, region).title) || 0) + 1);
    const latest = oldest(account);
    const lines = [[...counts].map(([name, count]) => `${name}: ${count} ${count === 1 ? "region" : "regions"}`).join(" · ")];
    if (latest < Infinity) lines.push(`Oldest of the regions' last deliveries: ${utc(latest)}`);
    return lines.map((line) => element("p", {}, line));
  }

  function describeCell(account, region) {
    const status = statusAt(account, region);
    const reason = reasonAt(account, region);
    const minute = minuteAt(account, region);
    const lines = [element("p", {}, badge(status), ` ${status.title} in ${regions[region]}`)];
    if (reason) lines.push(element("p", { dir: "auto" }, reason));
    if (status.remedy) lines.push(element("p", {}, element("strong", {}, "What to do: "), status.remedy));
    if (minute !== null) lines.push(element("p", { class: "hint" }, `Last delivery ${utc(minute)}`));
    return lines;
  }

  const moves = {
    ArrowUp: () => go(view.at.row - 1, view.at.column),
    ArrowDown: () => go(view.at.row + 1, view.at.column),
    ArrowLeft: () => go(view.at.row, view.at.column - 1),
    ArrowRight: () => go(view.at.row, view.at.column + 1),
    Home: (event) => go(event.ctrlKey ? 0 : view.at.row, 0),
    End: (event) => go(event.ctrlKey ? view.rows.length - 1 : view.at.row, view.columns.length),
    PageUp: () => go(view.at.row - page(), view.at.column),
    PageDown: () => go(view.at.row + page(), view.at.column),
  };

  function page() {
    return Math.max(1, Math.floor((grid.clientHeight - head.offsetHeight) / rowHeight()) - 1);
  }

  /* Events */
  body.addEventListener("keydown", (event) => {
    if (!moves[event.key] || event.altKey || event.metaKey) return;
    event.preventDefault();
    moves[event.key](event);
  });
  body.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-row]");
    if (cell) go(Number(cell.dataset.row), Number(cell.dataset.column));
  });
  body.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-row]");
    const here = cell && Number(cell.dataset.row) === view.at.row && Number(cell.dataset.column) === view.at.column;
    if (cell && (!here || !find("details").querySelector("h3"))) go(Number(cell.dataset.row), Number(cell.dataset.column));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select")) return;
    const keys = { "/": () => inputs.text.focus(), n: () => jump(1), p: () => jump(-1) };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  let waiting = false;
  grid.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  });
  overview.addEventListener("pointerdown", (event) => follow(event));
  overview.addEventListener("pointermove", (event) => event.buttons && follow(event));

  function follow(event) {
    const share = event.offsetY / overview.clientHeight;
    grid.scrollTop = share * grid.scrollHeight - grid.clientHeight / 2;
  }

  function toggle(name, on = !wanted.has(name)) {
    if (on) wanted.add(name);
    else wanted.delete(name);
    document.querySelectorAll(".chip").forEach((chip) => chip.setAttribute("aria-pressed", wanted.has(chip.dataset.status)));
  }

  const form = find("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (event.target === inputs.order) view.up = true;
    update();
  });
  form.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip) return;
    toggle(chip.dataset.status);
    update();
  });
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    inputs.order.value = "worst";
    for (const field of [inputs.text, inputs.ou, inputs.region]) field.value = "";
    wanted.clear();
    toggle("", false);
    view.up = true;
    update();
  });
  const copy = find("copy");
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(table());
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy exceptions"; }, 2000);
  });
  find("attention")?.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-status]");
    if (!button) return;
    wanted.clear();
    toggle(button.dataset.status, true);
    update();
    find("matrix").scrollIntoView();
    go(0, 0);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", redraw);

  /* Paper has no scroll bar: print every row, or where there are too many those with exceptions */
  addEventListener("beforeprint", () => {
    const all = view.rows;
    const some = all.length > PRINT_LIMIT ? all.filter(exceptions).slice(0, PRINT_LIMIT) : all;
    const note = find("print-note");
    note.hidden = some.length === all.length;
    note.textContent =
      `${some.length.toLocaleString("en")} accounts with exceptions are printed of ${all.length.toLocaleString("en")} ` +
      `accounts shown; coverage.json holds all.`;
    printing = true;
    view.rows = some;
    drawHead();
    redraw();
    addEventListener("afterprint", () => {
      printing = false;
      note.hidden = true;
      view.rows = all;
      drawHead();
      redraw();
    }, { once: true });
  });

  /* Start */
  const units = new Set();
  for (const ou of data.ous) {
    const steps = ou.split("/");
    steps.forEach((_, last) => units.add(steps.slice(0, last + 1).join("/")));
  }
  grid.classList.toggle("few", names.length <= FEW);
  grid.classList.toggle("no-units", data.ous.every((ou) => !ou));
  inputs.ou.parentElement.hidden = data.ous.every((ou) => !ou);
  [...units].filter(Boolean).sort().forEach((ou) => inputs.ou.append(element("option", { value: ou }, ou)));
  regions.forEach((region, number) => inputs.region.append(element("option", { value: number }, region)));
  document.querySelectorAll(".part").forEach((one) => {
    one.style.flexGrow = one.dataset.share;
  });
  document.documentElement.classList.add("ready");
  update();
})();
