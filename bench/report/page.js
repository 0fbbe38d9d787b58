// The page's own behaviour: tables that sort, filter and download, charts, and a case behind each link.
// Text from records only ever becomes text nodes; nothing here makes markup of a string.
const data = JSON.parse(document.getElementById("data").textContent);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// --- charts -----------------------------------------------------------------------------------------------

const narrow = matchMedia("(max-width: 45rem)");
const dark = matchMedia("(prefers-color-scheme: dark)");

function theme() {
  const style = getComputedStyle(document.documentElement);
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => style.getPropertyValue(name).trim());
  const labels = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12 };
  return {
    background: "transparent",
    axis: { ...labels, gridColor: line, domainColor: soft, tickColor: soft },
    axisY: { labelLimit: narrow.matches ? 130 : 330 },
    legend: { ...labels, labelLimit: 220, columns: narrow.matches ? 2 : 3 },
  };
}

async function draw(where, spec, datasets = {}) {
  const { legend, ...looks } = theme();
  const config = { ...spec.config, ...looks, legend: { ...spec.config.legend, ...legend } };
  await window.vegaEmbed(where, { ...spec, datasets: { ...spec.datasets, ...datasets }, config }, {
    ast: true, // expressions are interpreted: the page's policy forbids eval
    actions: false,
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  });
  where.dataset.drawn = "yes";
}

const drawings = new Map(); // element → how to draw it again

function show(where, spec, datasets) {
  drawings.set(where, () => draw(where, spec, datasets));
  seen.observe(where);
}

// Charts are drawn when they come near the screen: a long page opens at once.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (isIntersecting) {
      seen.unobserve(target);
      drawings.get(target)();
    }
  }
}, { rootMargin: "400px" });

for (const kind of [dark, narrow]) {
  kind.addEventListener("change", () => {
    for (const [where, again] of drawings) if (where.dataset.drawn) again();
  });
}

// --- tables -----------------------------------------------------------------------------------------------

const collator = new Intl.Collator("en", { numeric: true });

function raw(cell) {
  if (!cell.classList.contains("number")) return cell.textContent;
  return cell.dataset.raw === undefined ? null : Number(cell.dataset.raw);
}

function sort(table, column, direction) {
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [raw(row.cells[column]), row]);
  keyed.sort(([a], [b]) => {
    if (a === null || b === null) return (a === null) - (b === null); // what is not known comes last, always
    return direction * (typeof a === "number" ? a - b : collator.compare(a, b));
  });
  body.append(...keyed.map(([, row]) => row));
}

function sortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = element("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(table, column, ascending ? 1 : -1);
    });
    head.replaceChildren(button);
  });
}

function visible(table) {
  return [...table.tBodies[0].rows].filter((row) => !row.classList.contains("filtered"));
}

function records(table) {
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent);
  return { names, rows: visible(table).map((row) => [...row.cells].map(raw)) };
}

function asCsv({ names, rows }) {
  // A cell that a spreadsheet would take for a formula is made text; so is one with a comma, quote or line end.
  const field = (value) => {
    const text = value === null ? "" : String(value);
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [names, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

function asJson({ names, rows }) {
  return JSON.stringify(rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]]))), null, 1);
}

function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function toolsFor(table) {
  const search = element("input", { type: "search", placeholder: "Filter rows" });
  search.setAttribute("aria-label", `Filter: ${table.caption.textContent}`);
  const hide = element("input", { type: "checkbox" });
  const count = element("output");
  const total = table.tBodies[0].rows.length;
  const say = () => { count.textContent = `${visible(table).length} of ${total} rows`; };
  let texts = null; // read when the first letter is typed: thousands of rows are slow to read
  const filter = () => {
    texts ??= new Map([...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]));
    const words = search.value.toLowerCase().split(/\s+/);
    for (const [row, text] of texts) {
      const out = !words.every((word) => text.includes(word)) || (hide.checked && row.classList.contains("invalid"));
      row.classList.toggle("filtered", out);
    }
    say();
  };
  search.addEventListener("input", filter);
  hide.addEventListener("change", filter);
  say();
  const saving = (kind, type, convert) => {
    const button = element("button", { type: "button" }, kind.toUpperCase());
    button.setAttribute("aria-label", `Download what is shown as ${kind.toUpperCase()}: ${table.caption.textContent}`);
    button.addEventListener("click", () => download(`${table.id}.${kind}`, type, convert(records(table))));
    return button;
  };
  const parts = [search];
  if (table.querySelector("tr.invalid")) parts.push(element("label", {}, hide, " hide invalid"));
  parts.push(count, saving("csv", "text/csv", asCsv), saving("json", "application/json", asJson));
  return element("div", { className: "tools" }, ...parts);
}

function enhance(table) {
  if (table.querySelector("tr.empty")) return;
  sortable(table);
  table.closest(".table").before(toolsFor(table));
}

// --- a case -----------------------------------------------------------------------------------------------

function tableOf({ id, caption, columns, rows }) {
  const heads = columns.map(({ name, numeric }) => element("th", { scope: "col", className: numeric ? "number" : "" }, name));
  const body = rows.map((row) => element("tr", {}, ...row.map(([text, value], i) => {
    const cell = element("td", { className: columns[i].numeric ? "number" : "" }, text);
    if (columns[i].numeric && value !== null) cell.dataset.raw = value;
    return cell;
  })));
  const table = element("table", { id: `case-${id}` }, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body));
  const region = element("div", { className: "table", tabIndex: 0, role: "region", ariaLabel: caption }, table);
  const whole = element("div", {}, region);
  enhance(table);
  return whole;
}

function outputOf({ name, text, image, reason }) {
  const title = element("h3", {}, `Kept output ${name}`);
  if (image !== null) return [title, element("img", { src: image, alt: `Image that this case made: ${name}` })];
  return [title, text !== null ? element("pre", {}, text) : element("p", {}, `Not shown: ${reason}.`)];
}

function panelsOf(found) {
  const whole = element("div", { className: "panels" });
  const datasets = { blocks: found.course, idle: found.idle_w === null ? [] : [{ power_w: found.idle_w }] };
  for (const [field, spec] of Object.entries(data.panels)) {
    if (!found.course.some((block) => block[field] !== null)) continue;
    const where = element("div", { className: "chart", role: "img" });
    where.setAttribute("aria-label", `${field} over time; the table of blocks holds the same in numbers`);
    whole.append(element("figure", {}, where));
    show(where, spec, datasets);
  }
  return whole;
}

function open(id) {
  const source = document.getElementById(`data-${id}`);
  const where = document.getElementById("case");
  for (const chart of where.querySelectorAll(".chart")) drawings.delete(chart);
  where.hidden = false;
  if (source === null) {
    where.replaceChildren(element("h2", {}, "No such case"), element("p", {}, "This report holds no case of that name."));
  } else {
    const found = JSON.parse(source.textContent);
    const status = element("p", { className: found.status === "ok" ? "status" : "status bad" }, `Status: ${found.status}`);
    where.replaceChildren(
      element("h2", { id: "case-title", tabIndex: -1 }, found.label), status,
      element("ul", { className: "notes" }, ...found.reasons.map((reason) => element("li", {}, reason))),
      ...(found.command === null ? [] : [element("h3", {}, "The command"), element("pre", {}, found.command)]),
      element("h3", {}, "Over time"),
      element("p", {}, "A record keeps each block's joules, not the trace of power within it: a window is shaded up to " +
        "its mean power. The dashed line is the idle power; a triangle marks a block in which a card throttled."),
      panelsOf(found), ...found.outputs.flatMap(outputOf), ...found.tables.map(tableOf));
    where.querySelector("h2").focus({ preventScroll: true });
  }
  where.scrollIntoView();
}

function follow() {
  const wanted = /^#case-([0-9a-f]+)$/.exec(location.hash);
  if (wanted) open(wanted[1]);
}

document.querySelectorAll("main table").forEach(enhance);
document.querySelectorAll("[data-chart]").forEach((where) => show(where, data.charts[where.dataset.chart]));
addEventListener("hashchange", follow);
follow();
document.documentElement.dataset.ready = "yes";
