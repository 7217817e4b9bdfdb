// Measures one slide of a talk at one step. `inspect_page.py` puts it into the page, calls
// `labdeckInspect.open(n)`, then `.look()` and `.next()` until there is no further step.
// Each fault is a plain object: code, selector, needles (texts to find its source line by), values.
(function () {
  "use strict";

  const SLACK = 2; // pixels that nobody sees
  const ENLARGED = 1.02;
  const UNREAD = "aside.notes, script, style, template, .katex-mathml, math";
  const PICTURES = "img, svg, video, canvas, iframe, object, embed, hr";
  const INVISIBLE = /[\s\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]/gu;
  let slide = null;

  function shown(element) {
    return element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  }

  // Of the copies of a code block that stand on each other, only the last shown one is seen.
  function covered(element) {
    if (element.localName !== "code") return false;
    for (let next = element.nextElementSibling; next; next = next.nextElementSibling) {
      if (next.matches("code.visible")) return true;
    }
    return false;
  }

  function selectorOf(element) {
    const parts = [];
    for (let node = element; node && node !== slide; node = node.parentElement) {
      if (node.id) {
        parts.unshift("#" + CSS.escape(node.id));
        break;
      }
      const alike = [...node.parentElement.children].filter((one) => one.localName === node.localName);
      const nth = alike.length > 1 ? `:nth-of-type(${alike.indexOf(node) + 1})` : "";
      const name = node.classList.length ? "." + CSS.escape(node.classList[0]) : "";
      parts.unshift(node.localName + name + nth);
    }
    return parts.join(" > ") || "section";
  }

  // Texts that stand in the Markdown near the element, the surest first.
  function needles(element, text) {
    const found = [];
    const demo = element.closest("figure.demo");
    const image = element.closest("img, video, iframe");
    const tex = element.closest(".katex")?.querySelector("annotation");
    if (demo) found.push(`demo ${demo.dataset.demo}.${demo.dataset.figure}`);
    if (image) found.push(decodeURIComponent((image.getAttribute("src") || "").split("/").pop()));
    if (tex) found.push(tex.textContent.trim().split("\n")[0]);
    const own = (text || element.textContent).trim().split("\n")[0];
    if (!demo && !tex) found.push(own, own.slice(0, 24));
    return found.filter(Boolean);
  }

  function fault(code, element, values, text) {
    return { code, selector: selectorOf(element), needles: needles(element, text), values };
  }

  // What there is to see: formulas, words, and boxes (pictures, and what has a border or a ground)

  function paints(style) {
    const ground = !/, 0\)$|^transparent$/.test(style.backgroundColor) || style.backgroundImage !== "none";
    const sides = ["Top", "Right", "Bottom", "Left"];
    return ground || sides.some((s) => parseFloat(style[`border${s}Width`]) && style[`border${s}Style`] !== "none");
  }

  function wordsOf(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize) * drawnScale(node.parentElement);
    // A line's rectangle has room above and below the letters; half a letter each way has none.
    const rects = [...range.getClientRects()].map((r) => {
      const middle = (r.top + r.bottom) / 2, half = Math.min(r.height, size) / 2;
      return { left: r.left, right: r.right, top: middle - half, bottom: middle + half };
    });
    return { kind: "text", element: node.parentElement, text: node.textContent.trim(), rects };
  }

  function pieceOf(node) {
    if (node.nodeType === Node.TEXT_NODE) return wordsOf(node);
    if (node.matches(".katex")) {
      const rects = [...node.querySelectorAll(".base")].map((base) => base.getBoundingClientRect());
      return { kind: "math", element: node, rects };
    }
    const box = node.matches(PICTURES) || paints(getComputedStyle(node));
    if (!box || node.closest("[aria-hidden=true]")) return null;
    return { kind: "box", element: node, rects: [...node.getClientRects()] };
  }

  function accept(node) {
    if (node.nodeType === Node.TEXT_NODE) {
      return node.textContent.replace(INVISIBLE, "") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT;
    }
    if (node.matches(UNREAD) || covered(node)) return NodeFilter.FILTER_REJECT;
    if (node.parentElement?.closest(".katex")) return NodeFilter.FILTER_REJECT;
    return NodeFilter.FILTER_ACCEPT;
  }

  function pieces() {
    const kinds = NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT;
    const walker = document.createTreeWalker(slide, kinds, { acceptNode: accept });
    const found = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.parentElement.closest("svg") && node.nodeType !== Node.TEXT_NODE) continue;
      if (node.parentElement.closest(".katex")) continue;
      const element = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      const piece = shown(element) && pieceOf(node);
      if (piece && piece.rects.length) found.push(piece);
    }
    return found;
  }

  // Overflow

  function parentBox(element, style) {
    if (style.position === "fixed") return null;
    if (style.position === "absolute" && "offsetParent" in element) return element.offsetParent;
    return element.parentElement;
  }

  // The boxes that cut a piece off, from the inside out.
  function clippers(piece) {
    const found = [];
    let node = piece.element;
    for (let inner = piece.kind !== "text"; node && slide.contains(node); inner = false) {
      const style = getComputedStyle(node);
      const clips = style.overflowX !== "visible" || style.overflowY !== "visible";
      if (!inner && clips && style.display !== "inline" && node.localName !== "text") found.push({ node, style });
      node = parentBox(node, style);
    }
    return found;
  }

  function innerBox(node, style) {
    const r = node.getBoundingClientRect(), scale = Reveal.getScale();
    const side = (name) => parseFloat(style[`border${name}Width`]) * scale || 0;
    return {
      left: r.left + side("Left"), right: r.right - side("Right"),
      top: r.top + side("Top"), bottom: r.bottom - side("Bottom"),
    };
  }

  function beyond(rect, box) {
    return {
      left: box.left - rect.left, right: rect.right - box.right,
      top: box.top - rect.top, bottom: rect.bottom - box.bottom,
    };
  }

  function cut(rect, box) {
    return {
      left: Math.max(rect.left, box.left), right: Math.min(rect.right, box.right),
      top: Math.max(rect.top, box.top), bottom: Math.min(rect.bottom, box.bottom),
    };
  }

  // labdeck.js scrolls code with steps to the lines it lights up.
  function scrolledByTalk(node, side) {
    return (side === "top" || side === "bottom") && node.matches("pre code") && !!node.querySelector(".highlight-line");
  }

  function hiddenOnPurpose(box) {
    return box.right - box.left <= 2 || box.bottom - box.top <= 2; // text for screen readers alone
  }

  function overflows(found) {
    const deck = document.querySelector(".reveal .slides").getBoundingClientRect();
    const worst = new Map(); // by box and side: the piece that is farthest out
    const note = (code, holder, side, by, piece) => {
      const pixels = Math.round(by / Reveal.getScale());
      const key = code + selectorOf(holder) + side;
      if (pixels <= SLACK || pixels <= (worst.get(key)?.values.pixels || 0)) return;
      const at = code === "overflow" ? piece.element : holder;
      worst.set(key, { ...fault(code, at, { side, pixels }, piece.text), group: side });
    };
    for (const piece of found) {
      const boxes = clippers(piece);
      for (let rect of piece.rects) {
        for (const { node, style } of boxes) {
          const box = innerBox(node, style);
          if (hiddenOnPurpose(box)) { rect = cut(rect, box); continue; }
          for (const [side, by] of Object.entries(beyond(rect, box))) {
            if (piece.kind !== "box" && !scrolledByTalk(node, side)) note("clipped", node, side, by, piece);
          }
          rect = cut(rect, box);
        }
        if (rect.right <= rect.left || rect.bottom <= rect.top) continue;
        for (const [side, by] of Object.entries(beyond(rect, deck))) note("overflow", slide, side, by, piece);
      }
    }
    return [...worst.values()];
  }

  // Type and pictures

  function drawnScale(element) {
    const matrix = element.closest("svg") && element.getScreenCTM ? element.getScreenCTM() : null;
    if (matrix) return Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c));
    const box = element.closest("section, p, div, li, td, th, h1, h2, h3, h4, h5, h6") || element;
    return box.offsetWidth ? box.getBoundingClientRect().width / box.offsetWidth : Reveal.getScale();
  }

  // The size of the text that a piece belongs to: its raised and lowered parts are smaller by nature.
  function sizeOf(piece) {
    const element = piece.element.closest("sub, sup")?.parentElement || piece.element;
    return (parseFloat(getComputedStyle(element).fontSize) * drawnScale(element)) / Reveal.getScale();
  }

  function smallText(found, smallest) {
    const bySize = new Map();
    for (const piece of found) {
      if (piece.kind === "box") continue;
      const px = Math.round(sizeOf(piece) * (1280 / Reveal.getConfig().width) * 10) / 10;
      if (px <= 0 || px >= smallest) continue;
      if (!bySize.has(px)) bySize.set(px, { ...fault("small-text", piece.element, { px, count: 0 }, piece.text), group: px });
      bySize.get(px).values.count += 1;
    }
    return [...bySize.values()];
  }

  function enlargement(image) {
    const style = getComputedStyle(image);
    const x = image.offsetWidth / image.naturalWidth, y = image.offsetHeight / image.naturalHeight;
    if (style.objectFit === "none") return 1;
    if (style.objectFit === "contain") return Math.min(x, y);
    if (style.objectFit === "scale-down") return Math.min(1, x, y);
    return Math.max(x, y);
  }

  function enlarged() {
    return [...slide.querySelectorAll("img")].filter((image) => {
      const vector = /\.svgz?([?#]|$)|^data:image\/svg/i.test(image.currentSrc || image.src);
      const pixels = getComputedStyle(image).imageRendering === "pixelated";
      return !vector && !pixels && image.naturalWidth && shown(image) && enlargement(image) > ENLARGED;
    }).map((image) => fault("upscaled-image", image, {
      natural: [image.naturalWidth, image.naturalHeight], drawn: [image.offsetWidth, image.offsetHeight],
      times: Math.round(enlargement(image) * 100) / 100,
    }));
  }

  function withoutAlt() {
    return [...slide.querySelectorAll("img")].filter((image) => {
      const said = image.alt.trim() || image.getAttribute("aria-label") || image.getAttribute("aria-labelledby");
      const decoration = image.closest("[role=presentation], [role=none], [aria-hidden=true], aside.notes");
      return !said && !decoration;
    }).map((image) => fault("missing-alt", image, {}));
  }

  // Links between slides

  function leadsSomewhere(name) {
    const bits = name.split("/");
    if (!/^\d*$/.test(bits[0])) {
      const id = /\/\d+$/.test(name) && !document.getElementById(name) ? bits.slice(0, -1).join("/") : name;
      return !!document.getElementById(id);
    }
    const first = Reveal.getConfig().hashOneBasedIndex ? 1 : 0;
    const h = (parseInt(bits[0], 10) || first) - first, v = (parseInt(bits[1], 10) || first) - first;
    const column = Reveal.getHorizontalSlides()[h];
    return !!column && (v === 0 || column.querySelectorAll(":scope > section").length > v);
  }

  function decoded(text) {
    try { return decodeURIComponent(text); } catch { return text; }
  }

  function brokenLinks() {
    return [...slide.querySelectorAll('a[href^="#"]')].filter((link) => !link.closest("aside.notes"))
      .filter((link) => {
        const name = decoded(link.getAttribute("href")).replace(/^#\/?/, "");
        return name && !leadsSomewhere(name);
      })
      .map((link) => {
        const href = link.getAttribute("href");
        return { ...fault("broken-link", link, { href }), needles: [href, decoded(href), link.textContent] };
      });
  }

  // Characters that no font has: drawn as the font draws a character that cannot exist.

  const canvas = new OffscreenCanvas(64, 64).getContext("2d", { willReadFrequently: true });
  const pictures = new Map();
  const IMPOSSIBLE = "\u{10fffe}";

  function picture(family, character) {
    const key = family + "\n" + character;
    if (!pictures.has(key)) {
      canvas.clearRect(0, 0, 64, 64);
      canvas.font = `32px ${family}`;
      canvas.fillText(character, 8, 44);
      let hash = 2166136261;
      for (const value of canvas.getImageData(0, 0, 64, 64).data) hash = Math.imul(hash ^ value, 16777619);
      pictures.set(key, hash);
    }
    return pictures.get(key);
  }

  // A face that claims a range draws its own box for what it lacks there, so a neighbour is asked too.
  function noFontHas(family, character) {
    const system = '"no such font"';
    if (picture(system, character) !== picture(system, IMPOSSIBLE)) return false;
    const code = character.codePointAt(0);
    const around = [...Array(129).keys()].map((n) => String.fromCodePoint(Math.max(1, code - 64) + n));
    const unassigned = around.filter((one) => one !== character && /\p{Cn}/u.test(one)).slice(0, 9);
    return [IMPOSSIBLE, ...unassigned].some((one) => picture(family, one) === picture(family, character));
  }

  function missingGlyphs() {
    const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    const missing = new Map(); // character -> element
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (element.closest(UNREAD) || covered(element)) continue;
      const family = getComputedStyle(element).fontFamily;
      for (const character of new Set(walker.currentNode.textContent)) {
        if (/[\s\p{C}\p{M}]/u.test(character) && !/\p{Co}|\p{Cn}/u.test(character)) continue;
        if (noFontHas(family, character)) missing.set(character, element);
      }
    }
    if (!missing.size) return [];
    const characters = [...missing.keys()], element = missing.get(characters[0]);
    const fonts = getComputedStyle(element).fontFamily;
    return [{ ...fault("missing-glyph", element, { characters: characters.join(""), fonts }), needles: characters }];
  }

  // Contrast and names of images, by axe-core

  // Lines of code that a step dims and fragments that fade half are faint on purpose.
  const FAINT = [".has-highlights tr:not(.highlight-line)", ".semi-fade-out", "aside.notes", ".katex-mathml"];

  // axe-core reads the whole document at each call, so the other slides are away for its time.
  // Empty copies keep their places for the stylesheets; players stay, they would start anew.
  async function alone(work) {
    const around = [...document.querySelectorAll(".reveal .slides > section"), ...slide.parentElement.children];
    const away = [...new Set(around)].filter((one) => !one.contains(slide) && !one.querySelector("iframe, video, audio, object"));
    const copies = away.map((one) => one.cloneNode(false));
    away.forEach((one, index) => one.replaceWith(copies[index]));
    try {
      return await work();
    } finally {
      copies.forEach((copy, index) => copy.replaceWith(away[index]));
    }
  }

  async function byAxe(whole) {
    const fresh = [...slide.querySelectorAll(".current-fragment")].filter(shown);
    const include = whole ? [slide] : fresh;
    if (!include.length) return [];
    const rules = { type: "rule", values: ["color-contrast", "image-alt"] };
    const options = { runOnly: rules, resultTypes: ["violations"], elementRef: true, preload: false };
    const exclude = FAINT.map((one) => [one]);
    const { violations } = await alone(() => axe.run({ include, exclude }, options));
    const images = violations.filter((rule) => rule.id === "image-alt").flatMap((rule) => rule.nodes);
    const faint = violations.filter((rule) => rule.id === "color-contrast").flatMap((rule) => rule.nodes);
    return [...images.map((node) => fault("missing-alt", node.element, {})), ...byColours(faint)];
  }

  function byColours(nodes) {
    const grouped = new Map();
    for (const node of nodes) {
      const { fgColor, bgColor, contrastRatio, expectedContrastRatio } = node.any[0].data;
      const key = `${fgColor} ${bgColor}`;
      const values = { text: fgColor, ground: bgColor, ratio: contrastRatio, wanted: parseFloat(expectedContrastRatio), count: 0 };
      if (!grouped.has(key)) grouped.set(key, { ...fault("low-contrast", node.element, values), group: key });
      grouped.get(key).values.count += 1;
    }
    return [...grouped.values()];
  }

  // Until the slide is as the audience will see it

  function pause(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async function settle(limit) {
    const end = performance.now() + limit;
    const pending = () =>
      [...slide.querySelectorAll("img")].some((image) => image.src && !image.complete && shown(image)) ||
      [...slide.querySelectorAll("figure.demo .demo-plot")].some((plot) => !plot.querySelector(".main-svg"));
    while (pending() && performance.now() < end) await pause(15);
    slide.getBoundingClientRect(); // asks for the fonts of what has just appeared
    await Promise.race([document.fonts.ready, pause(limit)]);
    await new Promise((resolve) => { requestAnimationFrame(resolve); setTimeout(resolve, 50); });
  }

  window.labdeckInspect = {
    count: () => Reveal.getSlides().length,

    open(index) {
      slide = Reveal.getSlides()[index];
      const { h, v = 0 } = Reveal.getIndices(slide);
      Reveal.slide(h, v, -1);
      return { h, v, source: slide.dataset.source || "" };
    },

    async look(first, smallest) {
      await settle(5000);
      const found = pieces();
      const always = first ? [...withoutAlt(), ...brokenLinks(), ...missingGlyphs()] : [];
      return [...overflows(found), ...smallText(found, smallest), ...enlarged(), ...always, ...(await byAxe(first))];
    },

    next: () => Reveal.availableFragments().next && Reveal.nextFragment(),

    // Which slide has an element that asks for an address.
    asks(address) {
      const names = ["src", "href", "poster", "data", "data-src", "data-background-image", "data-background-video"];
      const asking = (element) => names.some((name) => {
        const value = element.getAttribute(name);
        return value && (element.localName !== "a") && new URL(value, document.baseURI).href === address;
      });
      slide = Reveal.getSlides().find((one) => [one, ...one.querySelectorAll("*")].some(asking));
      if (!slide) return null;
      const element = [slide, ...slide.querySelectorAll("*")].find(asking);
      const { h, v = 0 } = Reveal.getIndices(slide);
      return { h, v, source: slide.dataset.source || "", selector: selectorOf(element), needles: [address.split("/").pop(), decoded(address)] };
    },
  };
})();
