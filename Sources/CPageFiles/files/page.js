// SPDX-License-Identifier: Apache-2.0
// What the public page has more where scripts run: a theme of one's own, charts that answer the pointer, commands to copy.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* It holds for this page then. */ } };
  const theme = () => stored() ?? (dark.matches ? "dark" : "light");
  // Before anything is painted, so that nothing flashes.
  root.dataset.theme = theme();

  const charts = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // The table beside a chart is what it is drawn from.
  const read = (figure) => {
    const table = figure.querySelector("table.numbers");
    const drawn = Number(figure.dataset.drawn);
    const names = [...table.tHead.rows[0].cells].slice(1, drawn + 1).map((cell) => cell.textContent);
    const rows = [...table.tBodies[0].rows].reverse();
    const number = (cell) => Number(cell.textContent.replaceAll(",", ""));
    return {
      labels: rows.map((row) => row.cells[0].textContent.replace(/^(...)\S*/, "$1")),
      curves: names.map((name, index) => ({ name, values: rows.map((row) => number(row.cells[index + 1])) })),
    };
  };

  const scale = (unit) => ({
    beginAtZero: true,
    grid: { color: colour("--line"), drawTicks: false },
    border: { display: false },
    ticks: {
      color: colour("--soft"), precision: unit ? undefined : 0, maxTicksLimit: 5, padding: 8,
      callback: (value) => new Intl.NumberFormat("en", { notation: "compact" }).format(value) + unit,
    },
  });

  const draw = (figure) => {
    const plot = figure.querySelector(".plot");
    const unit = figure.dataset.unit;
    const { labels, curves } = read(figure);
    if (labels.length === 0 || !plot.querySelector("svg, canvas")) return;
    const canvas = document.createElement("canvas");
    plot.replaceChildren(canvas);
    const datasets = curves.map(({ name, values }, index) => ({
      label: name, data: values, borderColor: colour(`--s${index}`), backgroundColor: colour(`--s${index}`),
      borderWidth: 2, pointRadius: labels.length === 1 ? 4 : 0, pointHoverRadius: 4, tension: 0.25, order: index,
    }));
    const options = {
      animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: { label: (item) => ` ${item.dataset.label}: ${item.formattedValue}${unit}` },
          itemSort: (left, right) => right.parsed.y - left.parsed.y,
        },
      },
      scales: {
        x: { grid: { display: false }, ticks: { color: colour("--soft"), maxTicksLimit: 3, maxRotation: 0 } },
        y: scale(unit),
      },
    };
    return new Chart(canvas, { type: "line", data: { labels, datasets }, options });
  };

  const drawAll = () => {
    if (typeof Chart === "undefined") return;
    charts.splice(0).forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    for (const figure of document.querySelectorAll("figure.chart")) {
      const chart = draw(figure);
      if (chart) charts.push(chart);
    }
  };

  const apply = (name) => {
    root.dataset.theme = name;
    const button = document.querySelector(".theme");
    if (button) button.setAttribute("aria-label", name === "dark" ? "Switch to the light theme" : "Switch to the dark theme");
    drawAll();
  };

  const setTheme = (name) => {
    apply(name);
    document.dispatchEvent(new Event("theme"));
  };

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      // Without permission, or over plain HTTP: the text is selected, so that the keys for it do it.
      getSelection().selectAllChildren(source);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };

  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".theme");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const next = root.dataset.theme === "dark" ? "light" : "dark";
        store(next);
        setTheme(next);
      });
    }
    dark.addEventListener("change", () => setTheme(theme()));
    for (const button of document.querySelectorAll(".copy")) {
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    }
    apply(theme());
  });
})();
