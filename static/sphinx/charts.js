// Draws each table marked data-chart above itself: what is drawn is what is read, and without this
// script, or to a screen reader, the table says it all. Chart.js comes with the back-office.
//
//   data-chart   bar, line, stacked or pie
//   data-unit    € or % or nothing
//   th           the name of a series; data-kind="line" draws it as a line, data-faint behind
//                (data-faint="other" in another tone), those of one data-stack on each other
//   td[data-v]   the plain number
(() => {
  // Okabe and Ito's palette, told apart by colour-blind people; the faint one is what was before.
  const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
  const DARK = ["#56b4e9", "#e69f00", "#2fc79b", "#e5a5c8", "#a9d8f5", "#ff8a4c"];
  const DASHES = [[], [6, 4], [2, 3], [10, 4, 2, 4]];
  const POINTS = ["circle", "rect", "triangle", "rectRot", "star", "cross"];
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const language = document.documentElement.lang || "fr";

  const isDark = () => document.documentElement.classList.contains("dark");
  const text = (cell) => cell.textContent.trim();

  const spelled = (value, unit) => {
    const digits = unit === "€" ? 2 : Number.isInteger(value) ? 0 : 1;
    const shown = value.toLocaleString(language, {
      minimumFractionDigits: digits, maximumFractionDigits: digits,
    });
    return unit ? `${shown}\u00a0${unit}` : shown;
  };
  const short = (value, unit) => {
    const shown = value.toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 });
    return unit ? `${shown}\u00a0${unit}` : shown;
  };

  const read = (table) => {
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const rows = [...table.tBodies[0].rows];
    const series = heads
      .map((head, place) => ({
        name: text(head),
        kind: head.dataset.kind,
        faint: head.dataset.faint,
        stack: head.dataset.stack,
        isDrawn: !("undrawn" in head.dataset),
        values: rows.map((row) => {
          const value = row.cells[place + 1]?.dataset.v;
          return value === undefined || value === "" ? null : Number(value);
        }),
      }))
      .filter((one) => one.isDrawn);
    return { labels: rows.map((row) => text(row.cells[0])), series };
  };

  const dataset = (one, place, kind) => {
    const colour = (isDark() ? DARK : PALETTE)[place % PALETTE.length];
    const isFaint = one.faint !== undefined;
    const faint = one.faint === "other" ? (isDark() ? "#7a5c1e" : "#f3d9a4")
      : (isDark() ? "#4b5563" : "#c3ccd6");
    const isLine = kind === "line" || one.kind === "line";
    return {
      label: one.name,
      data: one.values,
      type: kind === "pie" ? "doughnut" : isLine ? "line" : "bar",
      order: isLine ? 0 : 1,
      stack: one.stack,
      backgroundColor: kind === "pie" ? (isDark() ? DARK : PALETTE) : isFaint ? faint : colour,
      borderColor: kind === "pie" ? (isDark() ? "#111827" : "#fff") : isFaint ? faint : colour,
      borderWidth: isLine || kind === "pie" ? 2 : 0,
      borderRadius: isLine || kind === "pie" ? 0 : 3,
      borderDash: isLine ? DASHES[place % DASHES.length] : [],
      pointStyle: POINTS[place % POINTS.length],
      pointRadius: one.values.length > 45 ? 0 : 3,
      spanGaps: true,
      maxBarThickness: 34,
    };
  };

  const config = (table) => {
    const { labels, series } = read(table);
    const kind = table.dataset.chart;
    const unit = table.dataset.unit || "";
    const ink = isDark() ? "#a3afbd" : "#566474";
    const line = isDark() ? "#374151" : "#dde3ea";
    const isPie = kind === "pie";
    const isStacked = kind === "stacked" || series.some((one) => one.stack);
    return {
      type: isPie ? "doughnut" : "bar",
      data: { labels, datasets: series.map((one, place) => dataset(one, place, kind)) },
      options: {
        responsive: true,
        maintainAspectRatio: false,
        animation: still ? false : { duration: 300 },
        interaction: isPie ? { mode: "nearest" } : { mode: "index", intersect: false },
        plugins: {
          legend: {
            display: isPie || series.length > 1,
            position: isPie ? "right" : "top",
            align: "start",
            labels: { color: ink, boxWidth: 14, usePointStyle: series.some((s) => s.kind === "line") },
          },
          tooltip: {
            callbacks: {
              label: (item) => {
                const name = isPie ? item.label : item.dataset.label;
                const value = isPie ? item.parsed : item.parsed.y;
                return ` ${name} : ${spelled(value, unit)}`;
              },
            },
          },
        },
        scales: isPie ? {} : {
          x: {
            stacked: isStacked,
            grid: { display: false },
            ticks: { color: ink, maxRotation: 0, autoSkipPadding: 14 },
          },
          y: {
            stacked: isStacked,
            beginAtZero: true,
            border: { display: false },
            grid: { color: line },
            ticks: { color: ink, maxTicksLimit: 6, callback: (value) => short(value, unit) },
          },
        },
      },
    };
  };

  const draw = (table) => {
    const box = document.createElement("div");
    box.className = "sx-canvas";
    const canvas = box.appendChild(document.createElement("canvas"));
    canvas.setAttribute("role", "img");
    const caption = table.caption ? text(table.caption) : document.title;
    canvas.setAttribute("aria-label", `${caption}. ${table.dataset.said || ""}`.trim());
    (table.closest("details") || table).before(box);
    return { table, chart: new window.Chart(canvas, config(table)) };
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (!window.Chart) return;
    window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    const drawn = [...document.querySelectorAll("table[data-chart]")]
      .filter((table) => table.tBodies[0]?.rows.length)
      .map(draw);
    // Light and dark are chosen by a click; paper has its own width.
    const again = () => drawn.forEach(({ table, chart }) => {
      Object.assign(chart, { options: config(table).options });
      chart.data = config(table).data;
      chart.update("none");
    });
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["class"] });
    window.addEventListener("beforeprint", () => drawn.forEach(({ chart }) => chart.resize(640, 240)));
    window.addEventListener("afterprint", () => drawn.forEach(({ chart }) => chart.resize()));
  });
})();
