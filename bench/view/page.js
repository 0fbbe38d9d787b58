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

// Colours are the page's variables: a drawing follows light, dark and paper without being drawn again.
function theme(where) {
  const [ink, soft, line] = ["var(--ink)", "var(--soft)", "var(--line)"];
  const labels = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12 };
  return {
    background: "transparent",
    axis: { ...labels, gridColor: line, domainColor: soft, tickColor: soft },
    axisX: { labelSeparation: 8 },
    axisY: { labelLimit: Math.round(where.clientWidth * 0.5) },
    legend: { ...labels, labelLimit: 220, columns: narrow.matches ? 1 : 3 },
    ...(narrow.matches ? labelsAbove(where) : {}),
  };
}

// On a telephone there is no room for names beside a chart: they stand above their rows, within it.
const ROW = 34;

function labelsAbove(where) {
  const labelLimit = where.clientWidth - 16;
  return {
    text: { fontSize: 10.5 },
    axisYDiscrete: { labelAlign: "left", labelPadding: -4, labelOffset: -16, labelLimit, ticks: false, grid: false },
    scale: { bandPaddingInner: 0.5, bandPaddingOuter: 0.25 },
  };
}

function heightOf({ height, encoding, layer, data, datasets }) {
  const names = [{ encoding, data }, ...(layer ?? [])].find((part) => part.encoding?.y?.type === "nominal");
  if (!narrow.matches || names === undefined) return height;
  const { field, scale } = names.encoding.y;
  if (scale?.domain) return ROW * scale.domain.length;
  const rows = (names.data ?? data).values ?? datasets[(names.data ?? data).name];
  return ROW * Math.max(1, new Set(rows.map((row) => row[field])).size);
}

async function draw(where, spec, datasets = {}) {
  const { legend, ...looks } = theme(where);
  const config = { ...spec.config, ...looks, legend: { ...spec.config.legend, ...legend } };
  const sized = { ...spec, height: heightOf(spec), datasets: { ...spec.datasets, ...datasets }, config };
  if (where.clientWidth === 0) sized.width = document.getElementById("content").clientWidth / 2; // in a closed fold
  await window.vegaEmbed(where, sized, {
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
  // Room for axis and legend is kept beforehand: drawn on the way to a link's target, charts would push it on.
  where.style.minHeight = `${heightOf(spec) + (spec.config.legend.disable ? 45 : 85)}px`;
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

narrow.addEventListener("change", () => {
  for (const [where, again] of drawings) if (where.dataset.drawn) again();
});

// What was not near the screen is drawn when the page is at rest: paper and whole photographs have all of it.
async function drawTheRest() {
  for (const [where, again] of drawings) {
    if (where.dataset.drawn === undefined) {
      seen.unobserve(where);
      await again();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not([open])")) {
    fold.open = true;
    fold.dataset.opened = "to print";
  }
  // Drawing waits for nothing but promises that are kept at once, so that it is done before the paper is laid out.
  for (const [where, again] of drawings) if (where.dataset.drawn === undefined) again();
});
addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("details[data-opened]")) {
    fold.open = false;
    delete fold.dataset.opened;
  }
});
// A chart that was drawn in a closed fold had no width of its own.
addEventListener("toggle", ({ target }) => {
  if (!target.open || target.dataset.opened) return;
  for (const where of target.querySelectorAll("[data-chart]")) drawings.get(where)?.();
}, true);

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
  // What a spreadsheet would take for a formula is made text, also where it splits at semicolons or tabs.
  const field = (value) => {
    const text = value === null ? "" : String(value)
      .replace(/[;\t\r\n](?=[ "]*[=+\-@＝＋－＠])/g, "$&'");
    const safe = typeof value === "string" && /^ *[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
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

// --- scenarios --------------------------------------------------------------------------------------------

// The formulas of bench/footprint/scenarios/model.py, in its words: tests hold the two together.
function footprint(x) {
  let hour_g = x["person.footprint"] * 1e6 / x["person.hours"];
  hour_g = hour_g + (x["person.power"] + x["person.display"]) / 1e3 * x["person.grid"];
  const computer_g = x["computer.made"] * 1e3 / (x["computer.lifetime"] * x["computer.hours"]);
  const upbringing_g = x["upbringing.energy"] * x["upbringing.grid"] / x["upbringing.hours"];
  hour_g = hour_g + computer_g + upbringing_g;
  const person = hour_g * x["person.work"] / x["person.success"];

  const batching = 1 - x["batch.shared"] + x["batch.shared"] * x["batch.measured"] / x["batch.served"];
  const busy_j = x["model.energy"] * x["model.answers"] * batching;
  const drawn_j = busy_j * x["model.host"] / (1 - x["idle.share"]) * x["model.pue"];
  const operation_g = drawn_j / 3.6e6 * x["model.grid"];

  const spread_over = x["training.per_day"] * x["training.days"];
  const training_g = x["training.total"] * 1e6 / spread_over * x["training.queries"];

  const device_h = busy_j / x["embodied.power"] / 3600;
  const life_h = x["embodied.lifetime"] * 8760 * x["embodied.utilisation"];
  const embodied_g = x["embodied.made"] * 1e3 / life_h * device_h;

  const drafts_g = (operation_g + training_g + embodied_g) * x["model.prompts"];
  const by_hand_g = (1 - x["model.success"]) * person;
  const attended_min = x["editing.edit"] + x["editing.review"] + x["editing.prompting"] * x["model.prompts"];
  const together = drafts_g + hour_g * attended_min / 60 + by_hand_g;
  return { person, model: drafts_g / x["model.success"], together };
}

const quantity = (value, unit) => (unit === "1" ? digits(value) : `${digits(value)} ${unit}`);
const digits = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

function panel(where, choices) {
  const choose = element("select", {}, ...choices.map(({ label }, i) => element("option", { value: i }, label)));
  const body = element("div", {});
  choose.addEventListener("change", () => body.replaceChildren(...scenario(choices[choose.value])));
  where.append(element("h3", {}, "Change what is assumed"), element("label", {}, "Scenario ", choose), body);
  body.replaceChildren(...scenario(choices[0]));
}

function scenario(choice) {
  const values = { ...choice.values };
  const outcome = element("table", {});
  const settings = element("p", { className: "setting" });
  const refresh = () => {
    const grams = footprint(values);
    const names = { person: "the person alone", model: "the model alone", together: "the person with the model" };
    const ranked = ["person", ...choice.sides].sort((a, b) => grams[a] - grams[b]);
    const number = (value) => {
      const cell = element("td", { className: "number" }, Number.isFinite(value) ? digits(value) : "—");
      cell.dataset.raw = value;
      return cell;
    };
    const rows = ranked.map((side) => {
      const row = element("tr", {}, element("td", {}, names[side]), number(grams[side]), number(grams.person / grams[side]));
      row.dataset.side = side;
      return row;
    });
    const heads = [["", `who makes one ${choice.unit}`], ["number", "g CO2e"], ["number", "grams of a person alone / this"]];
    const head = heads.map(([className, name]) => element("th", { scope: "col", className }, name));
    outcome.replaceChildren(element("caption", {}, "Least first, with these settings"),
      element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
    settings.textContent = "Settings: " + Object.entries(choice.units)
      .map(([key, unit]) => `${key} ${quantity(values[key], unit)}`).join("; ");
  };
  const sliders = choice.sliders.map(({ key, about, unit, low, high }) => {
    const range = element("input", { type: "range", min: low, max: high, step: "any", value: values[key] });
    const said = element("output", {}, quantity(values[key], unit));
    range.dataset.key = key;
    range.addEventListener("input", () => {
      values[key] = Number(range.value);
      said.textContent = quantity(values[key], unit);
      range.setAttribute("aria-valuetext", said.textContent);
      refresh();
    });
    return element("label", { className: "slider" }, `${about} (${key})`, range, said);
  });
  refresh();
  const table = element("div", { className: "table" }, outcome);
  table.setAttribute("aria-live", "polite");
  return [element("p", {}, choice.about), ...sliders, table, settings,
    element("ul", { className: "notes" }, ...choice.leaves_out.map((each) => element("li", {}, each)))];
}

// --- pictures ---------------------------------------------------------------------------------------------

const PICTURES = { slide: "PNG for a slide", card: "PNG card for sharing" };

function shareOf(name, { svg, width, height }) {
  const button = element("button", { type: "button" }, PICTURES[name]);
  button.addEventListener("click", async () => {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    await image.decode();
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d").drawImage(image, 0, 0, width, height);
    canvas.toBlob((blob) => download(`joulebench-${name}.png`, "image/png", blob));
  });
  return button;
}

// --- a case -----------------------------------------------------------------------------------------------

function tableOf({ id, caption, columns, rows }) {
  const heads = columns.map(({ name, numeric }) => element("th", { scope: "col", className: numeric ? "number" : "" }, name));
  const body = rows.map((row) => element("tr", {}, ...row.map(([text, value], i) => {
    const look = columns[i].numeric ? "number" : text.length > 80 ? "long" : "";
    const cell = element("td", { className: look }, text);
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

// What a case made is in the page once, in a section of its own.
function madeBy(id) {
  const found = [...document.querySelectorAll(`[data-made="${id}"]`)].map((figure) => figure.cloneNode(true));
  for (const figure of found) delete figure.dataset.made;
  return found.length === 0 ? [] : [element("h3", {}, "What it made"), element("div", { className: "made" }, ...found)];
}

const COURSE = ["from_s", "low_w", "mean_w", "high_w", "temperature_c", "sm_clock_mhz", "memory_clock_mhz", "mask"];

function courseOf({ rows, width_s, throttles }) {
  return rows.map((row) => {
    const seen = Object.fromEntries(COURSE.map((name, i) => [name, row[i]]));
    const throttled = throttles[seen.mask] ?? "";
    return { ...seen, throttled, to_s: seen.from_s + width_s, middle_s: seen.from_s + width_s / 2 };
  });
}

function panelsOf(found, course) {
  const whole = element("div", { className: "panels" });
  const traced = course.length > 0;
  const axis = traced ? course : found.blocks;
  const datasets = {
    blocks: found.blocks,
    idle: found.idle_w === null ? [] : [{ power_w: found.idle_w }],
    ...(traced ? { course } : {}),
    span: axis.length === 0 ? [] : [{ at_s: axis[0].from_s }, { at_s: axis.at(-1).to_s }],
  };
  for (const [field, spec] of Object.entries(traced ? data.course : data.windows)) {
    if (![...found.blocks, ...course].some((row) => (row[field] ?? null) !== null)) continue;
    const where = element("div", { className: "chart", role: "img" });
    const tables = traced ? "the trace in numbers and the table of blocks hold" : "the table of blocks holds";
    where.setAttribute("aria-label", `${field} over time; ${tables} the same`);
    whole.append(element("figure", {}, where));
    show(where, spec, datasets);
  }
  return whole;
}

function courseTable(course) {
  const columns = ["from, s", "least W", "mean W", "most W", "°C", "SM MHz", "memory MHz"]
    .map((name) => ({ name, numeric: true })).concat({ name: "throttled", numeric: false });
  const rows = course.map((seen) => COURSE.map((name) => {
    const value = name === "mask" ? seen.throttled : seen[name];
    return [value === null ? "—" : String(value), value];
  }));
  const whole = element("details", {}, element("summary", {}, `The trace in numbers (${rows.length} rows)`));
  whole.addEventListener("toggle", () => {
    whole.append(tableOf({ id: "trace", caption: "The trace in numbers", columns, rows }));
  }, { once: true }); // made when it is asked for
  return whole;
}

function open(id) {
  const source = document.getElementById(`data-${id}`);
  const where = document.getElementById("case");
  for (const chart of where.querySelectorAll(".chart")) drawings.delete(chart);
  where.hidden = false;
  if (source === null) {
    where.replaceChildren(element("h2", { id: "case-title", tabIndex: -1 }, "No such case"), element("p", {}, "This report holds no case of that name."));
  } else {
    const found = JSON.parse(source.textContent);
    const course = courseOf(found.course);
    const status = element("p", { className: found.status === "ok" ? "status" : "status bad" }, `Verdict: ${found.status}`);
    where.replaceChildren(
      element("h2", { id: "case-title", tabIndex: -1 }, found.label), status,
      element("p", {}, element("a", { href: "#cases" }, "All cases")),
      element("ul", { className: "notes" }, ...found.reasons.map((reason) => element("li", {}, reason))),
      ...(found.command === null ? [] : [element("h3", {}, "The command"), element("pre", {}, found.command)]),
      element("h3", {}, "Over time"),
      element("p", {}, found.course.about), panelsOf(found, course),
      ...(course.length > 0 ? [courseTable(course)] : []),
      ...madeBy(id), ...found.tables.map(tableOf));
  }
  where.querySelector("h2").focus({ preventScroll: true });
  where.scrollIntoView({ behavior: "instant" });
}

function follow() {
  const wanted = /^#case-([0-9a-f]+)$/.exec(location.hash);
  if (wanted) open(wanted[1]);
}

document.querySelectorAll("main table").forEach(enhance);
document.querySelectorAll("[data-chart]").forEach((where) => show(where, data.charts[where.dataset.chart]));
document.querySelector("[data-share]")?.append(...Object.entries(data.pictures).map(([name, picture]) => shareOf(name, picture)));
Object.entries(data.scenarios).forEach(([id, choices]) => panel(document.getElementById(id), choices));
addEventListener("hashchange", follow);
addEventListener("click", ({ target }) => { // the address does not change with a second click on the same case
  if (target instanceof HTMLAnchorElement && target.hash !== "" && target.hash === location.hash) follow();
});
follow();
document.documentElement.dataset.ready = "yes";
setTimeout(drawTheRest, 300);
