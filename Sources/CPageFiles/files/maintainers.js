// SPDX-License-Identifier: Apache-2.0
// The maintainers' view: what /v1/ tells, as charts and tables. What is looked at stands behind the # of the address, so that
// the address is the view.
import { enter, isIn, leave, request, watch } from "./session.js";

const view = document.getElementById("view");
const nav = document.getElementById("views");
const charts = [];
/** What draws the charts of the elements that are about to be shown. */
const drawings = [];
let watching = null;

const VIEWS = {
  live: "Now", adoption: "Versions", upgrades: "Upgrades", together: "Together", churn: "Coming and going", sizes: "Sizes",
  values: "Values", refusals: "Refusals",
};
const VERSIONS = ["cozystack_version", "kubernetes_version"];
const DIMENSIONS = [
  ...VERSIONS, "oidc", "bundle", "bundle_enabled", "bundle_disabled", "os", "kernel", "driver", "size", "package",
  "package_variant", "application", "workload_kind", "workload_type", "workload_version",
];

// The address.

const currentMonth = () => new Date().toISOString().slice(0, 7);

const state = () => {
  const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const chosen = { view: "live", month: currentMonth(), months: "12", dimension: VERSIONS[0], window: "month", ...given };
  if (!Object.hasOwn(VIEWS, chosen.view)) chosen.view = "live";
  if (!/^20\d\d-(0[1-9]|1[0-2])$/.test(chosen.month)) chosen.month = currentMonth();
  return chosen;
};

const address = (changes) => {
  const now = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const parts = Object.entries({ ...now, ...changes }).filter(([, value]) => value !== null && value !== "");
  return `#${new URLSearchParams(parts)}`;
};

const month = ({ month }) => `year=${Number(month.slice(0, 4))}&month=${Number(month.slice(5))}`;

// Elements. Whatever clusters wrote becomes text, never markup.

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
};

const format = (value) => (typeof value === "number" ? new Intl.NumberFormat("en").format(value) : value ?? "–");

const table = (label, heads, rows) =>
  make("div", { class: "card scroll", tabindex: 0, role: "region", "aria-label": label },
    rows.length === 0 ? make("p", { class: "empty" }, "There is nothing.") :
      make("table", {},
        make("thead", {}, make("tr", {}, heads.map(([head, isNumber]) =>
          make("th", { scope: "col", class: isNumber ? "n" : null }, head || make("span", { class: "sr" }, "Bar"))))),
        make("tbody", {}, rows.map((row) => make("tr", {}, row.map((cell, index) =>
          make(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: heads[index][1] ? "n" : null },
            cell instanceof Node ? cell : format(cell))))))));

const bar = (value, most) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("aria-hidden", "true");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.setAttribute("width", `${most > 0 ? (100 * value) / most : 0}%`);
  rect.setAttribute("height", "100%");
  svg.append(rect);
  return svg;
};

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A chart of curves over months, or of stacked bars, with what it says in a table below. */
const chart = (title, labels, curves, { isStacked = false } = {}) => {
  const canvas = make("canvas", {});
  const figure = make("figure", { class: "card" },
    make("figcaption", {}, make("h2", { class: "small" }, title)),
    make("div", { class: "plot wide", role: "img", "aria-label": `${title}. The table has all numbers.` }, canvas),
    make("ul", { class: "legend" }, curves.slice(0, 6).map(([name], index) => make("li", { class: `s${index}` }, name))),
    make("details", {}, make("summary", {}, "Table", make("span", { class: "sr" }, ` of ${title}`)),
      table(title, [["Month"], ...curves.map(([name]) => [name, true])],
        labels.map((label, index) => [label, ...curves.map(([, values]) => values[index])]).reverse())));
  drawings.push(() => {
    if (!canvas.isConnected) return;
    const datasets = curves.slice(0, 6).map(([name, values], index) => ({
      label: name, data: values, borderColor: colour(`--s${index}`), backgroundColor: colour(`--s${index}`),
      borderWidth: isStacked ? 0 : 2, pointRadius: labels.length === 1 ? 4 : 0, tension: 0.25,
    }));
    const axis = { grid: { color: colour("--line") }, ticks: { color: colour("--soft") }, stacked: isStacked };
    charts.push(new Chart(canvas, {
      type: isStacked ? "bar" : "line",
      data: { labels, datasets },
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: false } },
        scales: { x: { ...axis, grid: { display: false } }, y: { ...axis, beginAtZero: true } },
      },
    }));
  });
  return figure;
};

const choice = (label, name, options, chosen) => {
  const id = `choose-${name}`;
  return make("span", { class: "field" }, make("label", { for: id }, label),
    make("select", { id, onchange: (event) => { location.hash = address({ [name]: event.target.value, value: null }); } },
      options.map(([value, text]) => make("option", { value, selected: value === chosen }, text))));
};

const months = (chosen) => {
  const all = [];
  for (let date = new Date(`${currentMonth()}-15`); all.length < 36; date.setUTCMonth(date.getUTCMonth() - 1)) {
    all.push(date.toISOString().slice(0, 7));
  }
  if (!all.includes(chosen)) all.push(chosen);
  return choice("ending with", "month", all.map((value) => [value, value]), chosen);
};

const spans = (chosen) => choice("over", "months", ["6", "12", "24"].map((value) => [value, `${value} months`]), chosen);

const dimensions = (names, chosen) => choice("by", "dimension", names.map((name) => [name, name.replaceAll("_", " ")]), chosen);

const head = (title, text, ...choices) => [
  make("h1", {}, title), make("p", { class: "lead" }, text), choices.length ? make("div", { class: "choose" }, choices) : null,
];

const since = (answer) => make("p", { class: "hint" },
  `Counted ${answer.generated_at}, ${format(answer.clusters_read)} clusters`
  + (answer.rows_since ? `, from rows since ${answer.rows_since}` : "")
  + (answer.clusters_damaged ? `; ${format(answer.clusters_damaged)} cannot be read` : "") + ".");

const days = (quartiles) => (quartiles ? `${quartiles.median} (${quartiles.quarter}–${quartiles.three_quarters})` : "–");

// The views. Each asks for what it shows, and gives elements.

const show = {
  async live() {
    const numbers = Object.fromEntries(["clusters", "nodes", "tenants", "accepted", "changed", "refused"].map((name) =>
      [name, make("p", { class: "number" }, "–")]));
    const labels = {
      clusters: "Clusters this month", nodes: "Nodes", tenants: "Tenants", accepted: "Reports taken since the start",
      changed: "of them, said something new", refused: "Refused since the start",
    };
    // What moves every second is not spoken; troubles are.
    const note = make("p", { class: "hint" }, "Waiting for the first numbers.");
    const trouble = make("p", { class: "hint", role: "status" });
    watching = watch("/v1/live", (line) => {
      for (const name of Object.keys(numbers)) numbers[name].textContent = format(line[name]);
      note.textContent = `As of ${line.at}; it moves as reports arrive.`;
      trouble.textContent = "";
    }, (text) => { trouble.textContent = text; });
    return [...head("Now", "The month that runs, as reports arrive."),
      make("div", { class: "grid glance" }, Object.keys(numbers).map((name) =>
        make("section", { class: "card", id: name }, make("h2", { class: "name" }, labels[name]), numbers[name]))), note, trouble];
  },

  async adoption(chosen) {
    const by = VERSIONS.includes(chosen.dimension) ? chosen.dimension : VERSIONS[0];
    const answer = await request(`/v1/insights/adoption?${month(chosen)}&months=${chosen.months}&dimension=${by}`);
    const labels = answer.months.map((one) => one.month);
    const latest = [...answer.versions].sort((a, b) => b.at_end.at(-1) - a.at_end.at(-1) || b.clusters - a.clusters);
    return [...head("Versions", "Which versions clusters have, how fast they took them, and how far behind they are.",
      dimensions(VERSIONS, by), spans(chosen.months), months(chosen.month)),
      make("div", { class: "grid two" },
        chart("Clusters by version at each month's end", labels, latest.map((one) => [one.version, one.at_end])),
        chart("Days behind the next version", labels, [
          ["Median", answer.months.map((one) => one.lag?.median ?? null)],
          ["Three quarters", answer.months.map((one) => one.lag?.three_quarters ?? null)],
        ])),
      table("Versions",
        [["Version"], ["First seen"], ["Successor"], ["Had it", true], ["Have it", true], ["A quarter after", true],
          ["Half after", true], ["Nine tenths after", true]],
        [...answer.versions].reverse().map((one) => [
          make("a", { href: address({ view: "values", dimension: by, value: one.version }) }, one.version), one.first_seen,
          one.successor, one.clusters, one.at_end.at(-1), `${one.days_to.quarter} d`, `${one.days_to.half} d`,
          `${one.days_to.nine_tenths} d`,
        ])),
      table("Lag", [["Month"], ["Clusters", true], ["On the newest", true], ["Days behind, median (quartiles)", true]],
        [...answer.months].reverse().map((one) => [one.month, one.clusters, one.current, days(one.lag)])), since(answer)];
  },

  async upgrades(chosen) {
    const by = VERSIONS.includes(chosen.dimension) ? chosen.dimension : VERSIONS[0];
    const answer = await request(`/v1/insights/upgrades?${month(chosen)}&months=${chosen.months}&dimension=${by}`);
    const most = Math.max(0, ...answer.paths.map((one) => one.clusters));
    return [...head("Upgrades", "From which version to which, and how long clusters stayed on the one before.",
      dimensions(VERSIONS, by), spans(chosen.months), months(chosen.month)),
      table("Upgrade paths", [["From"], ["To"], ["Direction"], [""], ["Clusters", true], ["Days, median (quartiles)", true]],
        answer.paths.map((one) => [
          one.from, one.to, one.direction ?? "–", bar(one.clusters, most), one.clusters, days(one.days),
        ])), since(answer)];
  },

  async together(chosen) {
    const answer = await request(`/v1/insights/together?${month(chosen)}&limit=100`);
    return [...head("Together", "Applications and packages that clusters have together. A lift of 2 is twice as often as by chance.",
      months(chosen.month)),
      table("Pairs", [["One"], ["Other"], ["Both", true], ["One alone or both", true], ["Other alone or both", true], ["Lift", true]],
        answer.pairs.map((one) => [
          `${one.first.name} (${one.first.kind})`, `${one.second.name} (${one.second.kind})`, one.both,
          one.clusters_of_first, one.clusters_of_second, one.lift,
        ])), since(answer)];
  },

  async churn(chosen) {
    const answer = await request(`/v1/insights/churn?${month(chosen)}&months=${chosen.months}`);
    const labels = answer.months.map((one) => one.month);
    const column = (name) => answer.months.map((one) => one[name] ?? null);
    const most = Math.max(0, ...answer.lifetimes.map((one) => one.seen + one.gone));
    const span = (one) => (one.to === null || one.to === undefined ? `${one.from} days or more` :
      one.from === one.to ? `${one.from} day` : `${one.from} to ${one.to} days`);
    const widest = Math.max(0, ...answer.cohorts.map((one) => one.seen.length));
    return [...head("Coming and going", "Clusters that are new, stay, come back, or are not seen any more.",
      spans(chosen.months), months(chosen.month)),
      make("div", { class: "grid two" },
        chart("Clusters of each month", labels,
          [["Kept", column("kept")], ["New", column("new")], ["Returned", column("returned")]], { isStacked: true }),
        chart("Not seen in the month after", labels, [["Gone", column("gone")]], { isStacked: true })),
      make("h2", {}, "Lifetime"),
      table("Lifetimes", [["From the first to the last day"], [""], ["Still seen", true], ["Gone", true]],
        answer.lifetimes.map((one) => [span(one), bar(one.seen + one.gone, most), one.seen, one.gone])),
      make("h2", {}, "Cohorts"),
      table("Cohorts", [["New in"], ["Clusters", true], ...Array.from({ length: widest }, (_, index) => [`+${index}`, true])],
        answer.cohorts.map((one) => [one.month, one.clusters, ...Array.from({ length: widest }, (_, index) =>
          (index < one.seen.length && one.clusters ? `${Math.round((100 * one.seen[index]) / one.clusters)}%` : ""))])), since(answer)];
  },

  async sizes(chosen) {
    const answer = await request(`/v1/insights/sizes?${month(chosen)}&months=${chosen.months}`);
    const name = (span) => (span.to === null || span.to === undefined ? `${span.from} or more` :
      span.from === span.to ? `${span.from}` : `${span.from}–${span.to}`);
    const last = answer.months.at(-1);
    const part = (title, key) => {
      const counts = [...(last?.[key].clusters ?? [])];
      const most = Math.max(0, ...counts);
      return make("section", {}, make("h2", {}, title),
        table(title, [[title], [""], ["Clusters", true]],
          [...answer.spans.map((span, index) => [name(span), bar(counts[index], most), counts[index]]),
            ["not said", "", last?.[key].unknown ?? 0]]));
    };
    return [...head("Sizes", "Clusters by the most nodes, tenants and volumes that they had in the month.",
      spans(chosen.months), months(chosen.month)),
      make("div", { class: "grid three" }, part("Nodes", "nodes"), part("Tenants", "tenants"), part("Volumes", "volumes")),
      chart("Clusters by nodes", answer.months.map((one) => one.month),
        answer.spans.map((span, index) => [name(span), answer.months.map((one) => one.nodes.clusters[index])])
          .filter(([, values]) => values.some((value) => value > 0)), { isStacked: true }), since(answer)];
  },

  async values(chosen) {
    const by = DIMENSIONS.includes(chosen.dimension) ? chosen.dimension : VERSIONS[0];
    const answer = await request(`/v1/breakdowns/${by}?${month(chosen)}&window=${chosen.window}`);
    const rows = Object.entries(answer.values).sort(([a, x], [b, y]) => y.clusters - x.clusters || a.localeCompare(b));
    const most = Math.max(0, ...rows.map(([, counts]) => counts.clusters));
    const parts = [...head("Values", "How many clusters have which value, exactly. A value leads to its curve.",
      dimensions(DIMENSIONS, by),
      choice("in the", "window", ["month", "quarter", "year"].map((value) => [value, value]), chosen.window), months(chosen.month))];
    if (chosen.value) {
      const curve = await request(
        `/v1/insights/curve?${month(chosen)}&months=24&dimension=${by}&value=${encodeURIComponent(chosen.value)}`);
      parts.push(chart(chosen.value, curve.months.map((one) => one.month), [
        ["Had it in the month", curve.months.map((one) => one.with_value)],
        ["At its end", curve.months.map((one) => one.with_value_at_end)],
        ["All clusters", curve.months.map((one) => one.clusters)],
      ]));
    }
    parts.push(table("Values", [["Value"], [""], ["Clusters", true], ["At the end", true]], rows.map(([value, counts]) => [
      make("a", { href: address({ view: "values", dimension: by, value }), "aria-current": value === chosen.value ? "true" : null },
        value), bar(counts.clusters, most), counts.clusters, counts.clusters_at_end,
    ])));
    return parts;
  },

  async refusals() {
    const answer = await request("/v1/insights/refusals");
    const refused = answer.refused.filter((one) => one.reports > 0);
    return [...head("Refusals", `What this process refused and dropped since ${answer.since}. ${format(answer.accepted)} reports were taken.`),
      table("Refused reports", [["Status"], ["Reason"], ["Reports", true]],
        refused.map((one) => [String(one.status), one.reason, one.reports])),
      make("h2", {}, "Left out of reports that were taken"),
      table("Dropped", [["What"], ["How many", true]], [
        ["Samples of metrics that are not in the dictionary", answer.dropped.samples],
        ["Labels that are not in the dictionary", answer.dropped.labels],
        ["Values that do not have their label's form, now other", answer.dropped.replaced_values],
      ]),
      make("h2", {}, "Too often"),
      table("Limits", [["Limit"], ["Requests", true]], answer.limited.map((one) => [one.limit, one.requests]))];
  },
};

// What is shown is what the address says, and the last one that was asked for.

let asked = 0;

/** The links to the views; those that are there stay, so that the one that has the focus keeps it. */
const showViews = (chosen) => {
  nav.hidden = false;
  if (!nav.hasChildNodes()) nav.append(...Object.values(VIEWS).map((text) => make("a", {}, text)));
  Object.keys(VIEWS).forEach((name, index) => {
    nav.children[index].setAttribute("href", address({ view: name, value: null }));
    if (name === chosen.view) nav.children[index].setAttribute("aria-current", "page");
    else nav.children[index].removeAttribute("aria-current");
  });
};

const clear = () => {
  asked += 1;
  watching?.abort();
  nav.hidden = true;
  view.removeAttribute("aria-busy");
  view.replaceChildren();
};

const render = async () => {
  if (!isIn()) return;
  const chosen = state();
  const number = ++asked;
  watching?.abort();
  watching = null;
  showViews(chosen);
  document.title = `${VIEWS[chosen.view]} – Cozystack's fleet`;
  view.setAttribute("aria-busy", "true");
  let parts;
  try {
    parts = await show[chosen.view](chosen);
  } catch (trouble) {
    if (trouble.isLeft) return;
    parts = [make("h1", {}, VIEWS[chosen.view]), make("p", { class: "notice", role: "alert" }, trouble.message),
      make("p", {}, make("button", { type: "button", onclick: render }, "Try again"))];
  }
  if (number !== asked) return;
  view.removeAttribute("aria-busy");
  charts.splice(0).forEach((one) => one.destroy());
  const focused = view.contains(document.activeElement) ? document.activeElement.id : null;
  view.replaceChildren(...parts.filter(Boolean));
  if (focused !== null) (document.getElementById(focused) ?? view).focus();
  drawings.splice(0).forEach((draw) => draw());
};

addEventListener("hashchange", render);
document.addEventListener("theme", () => { if (!nav.hidden) render(); });
document.getElementById("leave").addEventListener("click", () => leave(""));
// What stands behind the # is the view, so the link past the navigation does not go there.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  view.focus();
});
enter(render, clear);
