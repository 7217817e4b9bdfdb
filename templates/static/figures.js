// Draws the figures of demos with plotly.js, in the colours and fonts of the deck.
(function () {
  "use strict";

  function css(element, name, fallback) {
    var value = getComputedStyle(element).getPropertyValue(name).trim();
    return value || fallback;
  }

  function rgb(color) {
    var probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = "#000";
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    return Array.from(probe.getImageData(0, 0, 1, 1).data).slice(0, 3);
  }

  function mix(a, b, share) {
    var x = rgb(a), y = rgb(b);
    return "rgb(" + x.map(function (v, i) { return Math.round(v + (y[i] - v) * share); }).join(",") + ")";
  }

  function palette(figure) {
    var text = css(figure, "color", "#222");
    var background = css(document.body, "background-color", "#fff");
    if (/rgba\(.*, 0\)|transparent/.test(background)) background = css(figure, "--r-background-color", "#fff");
    var series = [];
    for (var i = 1; i <= 8; i++) series.push(css(figure, "--labdeck-" + i, "#0072b2"));
    var light = css(figure, "--labdeck-sequential-0", mix(background, series[0], 0.06));
    var middle = css(figure, "--labdeck-sequential-1", mix(background, series[0], 0.55));
    var dark = css(figure, "--labdeck-sequential-2", mix(series[0], text, 0.45));
    return {
      text: text, background: background, series: series, grid: mix(background, text, 0.16),
      sequential: [[0, light], [0.5, middle], [1, dark]],
    };
  }

  function axis(own, colors, size) {
    var merged = Object.assign({
      gridcolor: colors.grid, linecolor: colors.text, zerolinecolor: colors.grid,
      tickcolor: colors.text, automargin: true, ticks: "outside", ticklen: 5,
    }, own);
    merged.title = Object.assign({ standoff: 12 }, own.title, { font: { size: size, color: colors.text } });
    merged.tickfont = { size: size, color: colors.text };
    return merged;
  }

  function themed(spec, figure) {
    var size = Math.max(18, Math.round(parseFloat(css(figure, "--labdeck-figure-size", "20"))));
    var colors = palette(figure);
    var font = { family: css(figure, "font-family", "sans-serif"), size: size, color: colors.text };
    var layout = Object.assign({
      margin: { l: 20, r: 20, t: 30, b: 20 }, hovermode: "closest", bargap: 0.3,
      legend: { orientation: "h", x: 0.5, xanchor: "center", y: 1.02, yanchor: "bottom" },
    }, spec.layout, {
      font: font, autosize: true, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      colorway: colors.series, colorscale: { sequential: colors.sequential, sequentialminus: colors.sequential },
      hoverlabel: { font: font, bgcolor: colors.background },
    });
    delete layout.width;
    delete layout.height;
    layout.legend = Object.assign({}, layout.legend, { font: font });
    Object.keys(layout).concat(["xaxis", "yaxis"]).forEach(function (key) {
      if (/^[xy]axis\d*$/.test(key)) layout[key] = axis(layout[key] || {}, colors, size);
    });
    (layout.annotations || []).forEach(function (note) {
      note.font = Object.assign({}, note.font, { size: size, color: colors.text });
    });
    var data = spec.data.map(function (trace) {
      if (!trace.type || trace.type === "scatter") {
        return Object.assign({}, trace, {
          line: Object.assign({ width: 4 }, trace.line), marker: Object.assign({ size: 10 }, trace.marker),
        });
      }
      if (!/heatmap|contour|surface/.test(trace.type || "")) return trace;
      var bar = Object.assign({ thickness: 16, outlinewidth: 0 }, trace.colorbar, { tickfont: font });
      return Object.assign({ colorscale: colors.sequential }, trace, { colorbar: bar });
    });
    return { data: data, layout: layout };
  }

  function draw(figure) {
    var plot = figure.querySelector(".demo-plot");
    var source = figure.querySelector('script[type="application/json"]');
    if (!plot || !source || plot.dataset.drawn) return;
    plot.dataset.drawn = "yes";
    var drawn = themed(JSON.parse(source.textContent), figure);
    Plotly.newPlot(plot, drawn.data, drawn.layout, { displayModeBar: false, responsive: false });
  }

  // A figure is drawn when its slide is the current one or the next, never in a hidden slide.
  function drawAround() {
    var slides = Reveal.getSlides();
    var at = slides.indexOf(Reveal.getCurrentSlide());
    if (/print/.test(location.search)) slides.forEach(function (s) { s.querySelectorAll("figure.demo").forEach(draw); });
    [at, at + 1, at - 1].forEach(function (index) {
      if (slides[index]) slides[index].querySelectorAll("figure.demo:not(.demo-table)").forEach(draw);
    });
  }

  document.addEventListener("DOMContentLoaded", function () {
    Reveal.on("ready", drawAround);
    Reveal.on("slidechanged", drawAround);
    if (Reveal.isReady && Reveal.isReady()) drawAround();
  });
})();
