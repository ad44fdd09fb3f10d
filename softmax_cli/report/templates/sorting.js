"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const compare = (a, b) => {
        const [x, y] = [a, b].map((row) => row.cells[column]);
        const [m, n] = [x, y].map((cell) => cell.dataset.value);
        if (m !== undefined && n !== undefined) return sign * (m - n);
        if (m !== undefined || n !== undefined) return m === undefined ? 1 : -1;
        return sign * x.textContent.localeCompare(y.textContent);
      };
      body.append(...[...body.rows].sort(compare));
    });
  });
}
