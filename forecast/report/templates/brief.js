"use strict";
// The trend answers to pointer, touch and arrow keys. Texts of reports are only ever set as text.
for (const figure of document.querySelectorAll("figure.trend")) {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const plot = figure.querySelector(".plot");
  const readout = figure.querySelector(".readout");
  const hidden = new Set();

  // A stop for each day on which there is something to read, in the order of time.
  const days = new Map();
  for (const one of [...data.points, ...data.issued, ...data.reports]) days.set(one.day, one.x);
  const stops = [...days].map(([day, x]) => ({ day, x })).sort((a, b) => (a.day < b.day ? -1 : 1));
  const known = data.points.filter((point) => !point.outlook);
  const outlook = data.points.filter((point) => point.outlook);
  let place = stops.findIndex((stop) => stop.day === known[known.length - 1].day);

  const percent = (p) => {
    if (p === null) return "–";
    if (p > 0 && p < 0.01) return "<1%";
    if (p > 0.99 && p < 1) return ">99%";
    return Math.round(100 * p) + "%";
  };
  const make = (name, text, parent) => {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    parent.append(node);
    return node;
  };

  // What was known on a day is what was known at the last date before it; after today it is the outlook's next date.
  const at = (day) => {
    if (day > known[known.length - 1].day) return outlook.find((point) => point.day >= day) || null;
    let latest = null;
    for (const point of known) if (point.day <= day) latest = point;
    return latest;
  };

  const textOf = (stop) => {
    const point = at(stop.day);
    const chances = point
      ? data.scenarios.map((title, s) => title + " " + percent(point.p[s])).filter((_, s) => !hidden.has(s))
      : ["before the first date of the trend"];
    const reports = data.reports.filter((report) => report.day === stop.day);
    return [stop.day + (point && point.outlook ? ", outlook" : ""), ...chances,
      ...reports.map((report) => "report: " + report.what + ", " + report.source)].join("; ");
  };

  const readOut = (stop) => {
    const point = at(stop.day);
    readout.replaceChildren();
    const head = make("p", "", readout);
    make("strong", stop.day, head);
    head.append(point && point.outlook ? "  outlook" : "  as it was known");
    const list = make("ul", "", readout);
    list.className = "chances";
    if (!point) make("li", "before the first date of the trend", list);
    data.scenarios.forEach((title, s) => {
      if (!point || hidden.has(s)) return;
      const item = make("li", "", list);
      const swatch = figure.querySelector('button[data-scenario="' + s + '"] svg');
      item.append(swatch.cloneNode(true), " " + title + " ");
      make("strong", percent(point.p[s]), item);
      item.append(point.p[s] === null ? "" : " (" + percent(point.low[s]) + " to " + percent(point.high[s]) + ")");
    });
    const issued = data.issued.filter((one) => one.day === stop.day && !hidden.has(one.s));
    if (issued.length) {
      make("p", "Issued: " + issued.map((one) => data.scenarios[one.s] + " " + percent(one.p)).join(", "), readout);
    }
    const reports = make("ul", "", readout);
    for (const report of data.reports.filter((one) => one.day === stop.day)) {
      const item = make("li", "", reports);
      make("strong", report.what, item);
      item.append(" (" + report.source + ") ");
      if (report.note) make("small", report.note, item);
      if (report.citation) {
        const cited = make("small", report.href ? "" : report.citation, item);
        if (report.href) {
          const link = make("a", report.citation, cited);
          link.href = report.href;
          link.rel = "noopener noreferrer";
        }
      }
    }
  };

  const show = (next) => {
    place = Math.min(Math.max(next, 0), stops.length - 1);
    const stop = stops[place];
    for (const picture of plot.querySelectorAll("svg")) {
      const width = picture.viewBox.baseVal.width;
      const x = width * (Number(picture.dataset.left) + stop.x * Number(picture.dataset.wide));
      const cursor = picture.querySelector(".cursor");
      cursor.setAttribute("transform", "translate(" + x + ")");
      cursor.setAttribute("visibility", "visible");
    }
    plot.setAttribute("aria-valuenow", place);
    plot.setAttribute("aria-valuetext", textOf(stop));
    readOut(stop);
  };

  const point = (event) => {
    const picture = [...plot.querySelectorAll("svg")].find((one) => one.getClientRects().length);
    const frame = picture.getBoundingClientRect();
    const share = (event.clientX - frame.left) / frame.width;
    const x = (share - Number(picture.dataset.left)) / Number(picture.dataset.wide);
    let best = 0;
    stops.forEach((stop, n) => { if (Math.abs(stop.x - x) < Math.abs(stops[best].x - x)) best = n; });
    show(best);
  };

  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 5, PageDown: -5,
    Home: -Infinity, End: Infinity };
  plot.tabIndex = 0;
  plot.setAttribute("role", "slider");
  plot.setAttribute("aria-label", "Date of the trend");
  plot.setAttribute("aria-valuemin", 0);
  plot.setAttribute("aria-valuemax", stops.length - 1);
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(place + steps[event.key]);
  });
  for (const button of figure.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const s = Number(button.dataset.scenario);
      const shown = hidden.delete(s);
      if (!shown) hidden.add(s);
      button.setAttribute("aria-pressed", String(shown));
      for (const group of figure.querySelectorAll('g[data-scenario="' + s + '"]')) group.classList.toggle("off", !shown);
      show(place);
    });
  }
  show(place);
}
