"use strict";
// Sorts the tables of the board by the column whose heading is pressed. Rows without a value, and
// stale ones, stay last; rows of equal value keep the order of the ranks.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const ranked = [...body.rows];
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];

  const sortBy = (heading, column) => {
    const now = heading.getAttribute("aria-sort");
    const other = now === "ascending" ? "descending" : "ascending";
    const order = now ? other : heading.dataset.first;
    const sign = order === "ascending" ? 1 : -1;
    const isText = heading.classList.contains("name");
    const key = (row) => row.cells[column].dataset.sort;
    const last = (row) => (row.classList.contains("stale") ? 2 : key(row) === "" ? 1 : 0);
    const compare = (a, b) => {
      if (last(a) !== last(b)) return last(a) - last(b);
      if (last(a)) return 0;
      if (!isText) return sign * (Number(key(a)) - Number(key(b)));
      return key(a) === key(b) ? 0 : sign * (key(a) < key(b) ? -1 : 1);
    };
    body.append(...[...ranked].sort(compare));
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    table.classList.toggle("resorted", column !== 0 || order !== "ascending");
  };

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(heading, column));
    heading.append(button);
  });
  const hint = document.createElement("span");
  hint.textContent = "; the column headings are buttons that sort";
  table.caption.append(hint);
}
