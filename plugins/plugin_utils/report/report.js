/*
Copyright Contributors to the cloudflare_email.security collection
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later

The tables of the report. All text is untrusted, so elements are made from text only, never from HTML.
*/
"use strict";

const ROWS_AT_ONCE = 100;
const MAX_PRINTED_ROWS = 2000;
const MAX_LINES = 6;
const MIN_ROWS_FOR_CONTROLS = 5;

const { noun: nounOfChanges, labels, filters: otherFilters, void: wordsOfVoid, hasImpact, affected, changes, restrictions } = JSON.parse(document.getElementById("data").textContent);
const isComparison = nounOfChanges === "difference";
const STATUSES = Object.keys(labels);
const { compare } = new Intl.Collator("en", { numeric: true });

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function button(className, action, ...children) {
  const made = element("button", className, ...children);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

/* A text with names, which are broken after their dots rather than within a label, and whole dates. */
function named(text) {
  const afterDots = (part, index) => (index ? [document.createElement("wbr"), part] : [part]);
  // Every second part is a date.
  const parts = text.split(/(\d{4}-\d\d-\d\d)/).flatMap((part, index) =>
    index % 2 ? [element("span", "date", part)] : part.split(/(?<=\.)/).flatMap(afterDots),
  );
  return element("bdi", "", ...parts);
}

/* A list, of which only the first items are shown at first. */
function list(items) {
  const all = items.map((item) => element("li", "", item));
  if (items.length <= MAX_LINES) {
    return [element("ul", "", ...all)];
  }
  const rest = element("ul", "folded", ...all.slice(MAX_LINES));
  const toggle = button("unfold", () => {
    rest.hidden = !rest.hidden;
    toggle.setAttribute("aria-expanded", !rest.hidden);
  }, `${rest.children.length.toLocaleString("en")} more`);
  rest.hidden = true;
  toggle.setAttribute("aria-expanded", false);
  return [element("ul", "", ...all.slice(0, MAX_LINES)), toggle, rest];
}

function statusCell(row) {
  const marks = row.statuses.flatMap((status, index) => [
    element("span", `status ${status}`, row.labels[index]), " ",
  ]);
  return element("td", "statuses", ...marks);
}

function domainCell(row, ...details) {
  const cell = element("th", "domain", named(row.domain), ...details);
  cell.scope = "row";
  cell.abbr = row.domain;
  return cell;
}

/* One side of a change: what it removes or adds. Of a difference, neither side is new. */
function sideCell(className, tag, facts, nothing, unchanged) {
  if (facts === null) {
    return element("td", className, element("span", "muted", "no restriction"));
  }
  const words = { exclude: "exempt", comments: "comment" };
  const items = facts.map(([field, text]) => {
    const content = element(tag, field, named(text));
    return element("span", "fact", element("span", "muted", words[field]), " ", content);
  });
  const cell = element("td", className);
  if (items.length > 0) {
    cell.append(...list(items));
  } else {
    cell.append(element("span", "muted", nothing));
  }
  if (unchanged > 0) {
    cell.append(element("p", "muted", `${count(unchanged, "exempt name")} ${isComparison ? "on both sides" : "unchanged"}`));
  }
  return cell;
}

function changeCells(change) {
  const nothing = change.before && change.after ? "–" : "no exempt names";
  const note = change.note ? [element("p", "muted", named(change.note))] : [];
  const times = change.times.flatMap((time) => [element("span", "time", named(time)), " "]);
  return [
    statusCell(change),
    domainCell(change, ...note, element("p", "muted", ...times)),
    sideCell("before", isComparison ? "mark" : "del", change.before, nothing, 0),
    sideCell("after", isComparison ? "mark" : "ins", change.after, nothing, change.unchanged),
  ];
}

function affectedCells(row) {
  const first = row.first ? `first ${row.first} UTC` : "";
  const details = [first, row.delivery].filter(Boolean).join(", ");
  return [
    statusCell(row),
    domainCell(row, element("p", "muted", named(details))),
    element("td", "cause", named(row.cause)),
    element("td", "messages", row.messages.toLocaleString("en")),
    element("td", "last", row.last),
  ];
}

function restrictionCells(row) {
  const details = [];
  if (row.id) {
    details.push(element("p", "muted", "ID ", element("bdi", "", row.id)));
  }
  if (row.parent) {
    details.push(element("p", "muted", "below ", named(row.parent)));
  }
  if (row.exclude.length > 0) {
    const names = row.exclude.map((name) =>
      element("span", "fact", element("span", "muted", row.void.includes(name) ? wordsOfVoid : "exempt"), " ", named(name)),
    );
    details.push(...list(names));
  }
  const domain = domainCell(row, ...details);
  domain.style.setProperty("--level", Math.min(row.level, 4));
  return [
    domain,
    statusCell(row),
    element("td", "comments", named(row.comments)),
    element("td", "created", row.created),
    element("td", "modified", row.modified),
    ...(hasImpact ? [element("td", "messages", row.messages)] : []),
  ];
}

const ORDERS = {
  tree: (one, other) => one.index - other.index,
  statuses: (one, other) => rank(one) - rank(other),
  messages: (one, other) => numberOfMessages(one) - numberOfMessages(other),
};

/* It may be a number, a text such as "1,200 or more", or nothing. */
function numberOfMessages({ messages }) {
  return messages === "" ? -1 : parseInt(String(messages).replaceAll(",", ""), 10);
}

function rank(row) {
  return row.statuses.length ? STATUSES.indexOf(row.statuses[0]) : STATUSES.length;
}

/*
Set up a table of which only the first rows are in the page.

noun: what a row is called.
words: returns the texts of a row that are searched.
makeCells: returns the cells of a row; the first line of the table is sorted by at first.
*/
function setUp(id, noun, rows, words, makeCells) {
  const section = document.getElementById(id);
  const find = (selector) => section.querySelector(selector);
  const [search, filters, sorting, shownText, table, more] = [
    "input", ".filters", "select", ".shown", "table", ".more",
  ].map(find);
  const headers = [...section.querySelectorAll("thead th")];
  const names = headers.map((header) => header.textContent);
  const body = table.tBodies[0];
  let matching = rows;
  let filter = "";
  let sorted = { key: headers[0].className, isDescending: false };

  rows.forEach((row, index) => {
    row.index = index;
    row.text = words(row).join("\n").toLowerCase();
    row.filters = [...row.statuses, ...(row.filters || [])];
  });

  function makeRow(row) {
    const cells = makeCells(row);
    cells.forEach((cell, index) => (cell.dataset.name = names[index]));
    return element("tr", row.statuses.join(" "), ...cells);
  }

  /*
  Show the first rows that match. Those that were shown before stay as they are, with the lists
  that the user has opened.
  */
  function showFirst(limit) {
    [...body.rows].slice(limit).forEach((row) => row.remove());
    const added = matching.slice(body.rows.length, limit).map(makeRow);
    body.append(...added);
    const shown = body.rows.length;
    more.hidden = shown === matching.length;
    table.hidden = shown === 0;
    const total = count(rows.length, noun);
    const start = matching.length === rows.length
      ? total
      : `${matching.length.toLocaleString("en")} of ${total} match`;
    shownText.textContent = more.hidden ? start : `${start}, the first ${shown.toLocaleString("en")} are shown`;
    return added[0];
  }

  function update() {
    const text = search.value.trim().toLowerCase();
    const { key, isDescending } = sorted;
    const order = ORDERS[key] || ((one, other) => compare(one[key], other[key]));
    matching = rows.filter(
      (row) => row.text.includes(text) && (!filter || row.filters.includes(filter)),
    );
    matching.sort((one, other) => (isDescending ? order(other, one) : order(one, other)));
    for (const header of headers) {
      header.removeAttribute("aria-sort");
      if (header.className === key) {
        header.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      }
    }
    sorting.value = `${key} ${isDescending}`;
    table.classList.toggle("tree", key === "tree" && !isDescending);
    body.replaceChildren();
    showFirst(ROWS_AT_ONCE);
  }

  function addFilter(status, name, number) {
    const made = button("", () => {
      filter = status;
      for (const other of filters.children) {
        other.setAttribute("aria-pressed", other === made);
      }
      update();
    }, `${name} `, element("span", "muted", number.toLocaleString("en")));
    made.setAttribute("aria-pressed", status === filter);
    filters.append(made);
  }

  addFilter("", "all", rows.length);
  for (const [name, label] of Object.entries({ ...labels, ...otherFilters })) {
    const number = rows.filter((row) => row.filters.includes(name)).length;
    // That all of them were changed is worth knowing, too.
    if (number > 0 && (number < rows.length || name in { week: 0, month: 0 })) {
      addFilter(name, label, number);
    }
  }
  filters.hidden = filters.children.length === 1;
  if (rows.length < MIN_ROWS_FOR_CONTROLS) {
    for (const control of [...section.querySelectorAll("label"), search, filters, sorting]) {
      control.hidden = true;
    }
  }

  search.addEventListener("input", update);
  headers.forEach((header, index) => {
    const key = header.className;
    const headerButton = header.querySelector("button");
    if (!headerButton) {
      return;
    }
    headerButton.addEventListener("click", () => {
      sorted = { key, isDescending: sorted.key === key && !sorted.isDescending };
      update();
    });
    for (const isDescending of [false, true]) {
      const option = element("option", "", isDescending ? `${names[index]}, descending` : names[index]);
      option.value = `${key} ${isDescending}`;
      sorting.append(option);
    }
  });
  sorting.addEventListener("change", () => {
    const [key, isDescending] = sorting.value.split(" ");
    sorted = { key, isDescending: isDescending === "true" };
    update();
  });
  more.addEventListener("click", () => {
    const first = showFirst(body.rows.length + ROWS_AT_ONCE);
    first.tabIndex = -1;
    first.focus({ preventScroll: true });
  });

  /* What paper must say about how the rows were chosen and sorted; nobody can see the controls. */
  function extract() {
    const isSorted = sorting.selectedIndex > 0;
    const chosen = [
      filter && `filter: ${{ ...labels, ...otherFilters }[filter]}`,
      search.value.trim() && `search: ${search.value.trim()}`,
      isSorted && `sorted by: ${sorting.selectedOptions[0].textContent}`,
    ].filter(Boolean);
    return chosen.length > 0 ? ` (${chosen.join("; ")})` : "";
  }

  let shownBefore = 0;
  window.addEventListener("beforeprint", () => {
    shownBefore = body.rows.length;
    showFirst(Math.max(shownBefore, MAX_PRINTED_ROWS));
    shownText.textContent += extract();
    sayOmitted(rows.length - body.rows.length, shownText.textContent);
  });
  window.addEventListener("afterprint", () => showFirst(shownBefore));

  update();
  section.hidden = rows.length === 0;
}

const omitted = document.getElementById("omitted");
window.addEventListener("beforeprint", () => omitted.replaceChildren());

/* Say at the top of the paper that rows of a table are not on it. */
function sayOmitted(number, shown) {
  if (number > 0) {
    omitted.append(element("span", "", `${count(number, "row")} omitted: ${shown}`));
  }
}

setUp(
  "affected",
  "sender",
  affected,
  ({ domain, cause, first, last, delivery }) => [domain, cause, first, last, delivery],
  affectedCells,
);
setUp(
  "changes",
  nounOfChanges,
  changes,
  ({ domain, note, times, before, after }) => [
    domain,
    note,
    ...times,
    ...[...(before || []), ...(after || [])].map(([, text]) => text),
  ],
  changeCells,
);
setUp(
  "restrictions",
  "restriction",
  restrictions,
  ({ domain, id, exclude, comments, created, modified }) =>
    [domain, id, ...exclude, comments, created, modified],
  restrictionCells,
);

document.getElementById("without-scripts").remove();
document.querySelectorAll(":is(.note, .problem, .notes) bdi").forEach((bdi) => bdi.replaceWith(named(bdi.textContent)));

/* Paper has nothing to click on. */
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((details) => (details.open = true));
});
window.addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));
