// Jump to slide finds text that \b cannot (Chinese), and stepped code scrolls to its lines.
(function () {
  "use strict";

  function find(text) {
    var wanted = text.trim().toLowerCase();
    var slide = Reveal.getSlides().find(function (one) {
      return one.innerText.toLowerCase().indexOf(wanted) >= 0 || one.textContent.toLowerCase().indexOf(wanted) >= 0;
    });
    return slide ? Reveal.getIndices(slide) : null;
  }

  // reveal.js looks for \btext\b, which never matches between two Chinese characters.
  function search(event) {
    var input = event.target;
    if (!input.classList || !input.classList.contains("jump-to-slide-input")) return;
    if (!/[^\x00-\x7f]/.test(input.value)) return;
    var at = find(input.value);
    if (event.type === "input") {
      event.stopImmediatePropagation();
      if (at) Reveal.slide(at.h, at.v);
    } else if (event.key === "Enter" && at) {
      input.value = (at.h + 1) + "/" + ((at.v || 0) + 1); // the box counts from 1
    }
  }
  document.addEventListener("input", search, true);
  document.addEventListener("keydown", search, true);

  // The lines a code step lights up come into view when the block is taller than its frame.
  function reveal(code) {
    var line = code.querySelector(".highlight-line");
    if (!line || code.scrollHeight <= code.clientHeight) return;
    var lines = code.querySelectorAll(".highlight-line");
    var last = lines[lines.length - 1];
    var middle = (line.offsetTop + last.offsetTop + last.offsetHeight) / 2;
    code.scrollTo({ top: middle - code.clientHeight / 2, behavior: "smooth" });
  }
  function onStep() {
    var slide = Reveal.getCurrentSlide();
    if (!slide) return;
    slide.querySelectorAll("pre").forEach(function (pre) {
      var shown = pre.querySelectorAll("code:not(.fragment), code.fragment.visible");
      if (shown.length) reveal(shown[shown.length - 1]);
    });
  }
  document.addEventListener("DOMContentLoaded", function () {
    ["ready", "slidechanged", "fragmentshown", "fragmenthidden"].forEach(function (name) {
      Reveal.on(name, onStep);
    });
    if (Reveal.isReady && Reveal.isReady()) onStep();
  });
})();
