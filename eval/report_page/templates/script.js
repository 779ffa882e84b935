"use strict";
// The choice of model and metric, sorting and filtering. All tables are in the page before this runs.
(() => {
  document.documentElement.classList.add("js");
  const sections = [...document.querySelectorAll("[data-panels]")];
  const choice = { model: 0, metric: 0 };

  const value = (row, column) => {
    const cell = row.cells[column];
    if (column === 0) return cell.textContent;
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };

  // Rows without a value come last in both directions; equal ones keep their order.
  const compare = (one, other, sign) => {
    if (one === null || other === null) return (one === null) - (other === null);
    if (typeof one === "string") return sign * one.localeCompare(other, undefined, { numeric: true });
    return sign * (one - other);
  };

  // Each section of panels: which panel is shown, how its rows are sorted and which of them stay.
  const panelled = (section) => {
    const panels = [...section.querySelectorAll(".panel")];
    const controls = section.querySelector(".controls");
    const status = section.querySelector(".status");
    const none = section.querySelector(".none");
    const filter = (name) => section.querySelector(`[data-filter=${name}]`);
    const tables = new Map();
    let sorted = null; // {key, descending}

    const inOrder = ({ rows, heads }) => {
      const column = sorted ? heads.findIndex((head) => head.dataset.key === sorted.key) : -1;
      if (column < 0) return rows;
      const sign = sorted.descending ? -1 : 1;
      const keyed = rows.map((row) => [value(row, column), row]);
      return keyed.sort((one, other) => compare(one[0], other[0], sign)).map(([, row]) => row);
    };

    const stays = (row) => {
      const text = filter("text").value.normalize("NFKC").toLowerCase().trim();
      if (text && !row.cells[0].textContent.normalize("NFKC").toLowerCase().includes(text)) return false;
      if (filter("significant")?.checked && row.classList.contains("unclear")) return false;
      return !(filter("large")?.checked && row.classList.contains("small"));
    };

    const arrange = (panel) => {
      const table = tables.get(panel);
      if (!table) return;
      const order = inOrder(table);
      table.body.append(...order);
      const lines = order.map((row) => table.lines.get(row.dataset.row)).filter(Boolean);
      table.forest.append(...lines);
      for (const head of table.heads) {
        if (sorted && head.dataset.key === sorted.key) {
          head.setAttribute("aria-sort", sorted.descending ? "descending" : "ascending");
        } else {
          head.removeAttribute("aria-sort");
        }
      }
      let shown = 0;
      let drawn = 0;
      for (const row of table.rows) {
        const line = table.lines.get(row.dataset.row);
        row.hidden = !stays(row);
        shown += !row.hidden;
        if (line) {
          line.hidden = row.hidden;
          drawn += !row.hidden;
        }
      }
      const all = table.rows.length;
      const chart = drawn < shown ? ` (${drawn} of them in the chart)` : "";
      status.textContent = shown ? `Showing ${shown} of ${all} slices${chart}.` : `None of ${all} slices is left by the filters.`;
    };

    const show = () => {
      for (const panel of panels) {
        panel.hidden = Number(panel.dataset.model) !== choice.model || Number(panel.dataset.metric) !== choice.metric;
        if (!panel.hidden) arrange(panel);
      }
      if (none) none.hidden = panels.some((panel) => !panel.hidden);
    };

    // First click: largest first (names from A); second: the other way; third: as it was.
    const sortBy = (key, text) => {
      const first = !text;
      if (!sorted || sorted.key !== key) sorted = { key, descending: first };
      else if (sorted.descending === first) sorted.descending = !first;
      else sorted = null;
      show();
    };

    const prepare = (panel) => {
      const found = panel.querySelector("table.slices");
      if (!found) return;
      const heads = [...found.tHead.rows[0].cells];
      for (const head of heads) {
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        button.addEventListener("click", () => sortBy(head.dataset.key, head.classList.contains("text")));
        head.append(button);
      }
      const lines = new Map([...panel.querySelectorAll(".forest [data-row]")].map((line) => [line.dataset.row, line]));
      const [body] = found.tBodies;
      tables.set(panel, { heads, body, rows: [...body.rows], lines, forest: panel.querySelector(".forest") });
    };

    panels.forEach(prepare);
    controls.hidden = false;
    if (status) status.hidden = false;
    section.addEventListener("input", (event) => {
      if (event.target.dataset.filter) show();
    });
    const columns = section.querySelector("[data-columns]");
    const widen = () => section.classList.toggle("all-columns", columns.checked);
    columns?.addEventListener("change", widen);
    if (columns) widen(); // a browser may bring back what was checked before a reload
    return show;
  };

  const shows = sections.map(panelled);
  const selects = [...document.querySelectorAll("[data-choice]")];
  const showAll = () => {
    for (const select of selects) select.value = String(choice[select.dataset.choice]);
    for (const show of shows) show();
  };
  for (const select of selects) {
    select.addEventListener("change", () => {
      choice[select.dataset.choice] = Number(select.value);
      showAll();
    });
  }
  showAll();

  // On paper nothing can be opened.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
