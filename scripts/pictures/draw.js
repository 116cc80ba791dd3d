// Runs in a page and draws it as SVG, of rectangles, lines and texts alone: its value is the picture of what is in view.
// Texts stay texts, each as wide as it is here, so that another machine's font moves nothing.
function drawPage() {
  const out = [];
  const width = document.documentElement.clientWidth;
  const height = window.innerHeight;
  const pen = document.createElement("canvas").getContext("2d");
  const view = { left: 0, top: 0, right: width, bottom: height };
  const dialogs = [];

  const round = (value) => String(Math.round(value * 10) / 10);
  const escape = (text) =>
    text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
  const isClear = (color) => color === "transparent" || /^rgba\(.*, 0\)$/.test(color);
  const attributes = (all) =>
    Object.entries(all)
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => ` ${name}="${typeof value === "number" ? round(value) : escape(value)}"`)
      .join("");
  const put = (tag, all, content = "") =>
    out.push(content === "" ? `<${tag}${attributes(all)}/>` : `<${tag}${attributes(all)}>${content}</${tag}>`);

  /** A colour that every reader of SVG knows, with its opacity apart. */
  function paint(name, color) {
    pen.fillStyle = "#000";
    pen.fillStyle = color;
    const text = pen.fillStyle;
    if (text.startsWith("#")) return { [name]: text };
    const [red, green, blue, alpha = "1"] = text.match(/[\d.]+/g);
    return { [name]: `rgb(${red},${green},${blue})`, [`${name}-opacity`]: alpha };
  }

  const meet = (a, b) => ({
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  });
  const isNothing = ({ left, top, right, bottom }) => right - left < 0.5 || bottom - top < 0.5;

  function box(element, style, clip, opacity) {
    const rect = element.getBoundingClientRect();
    const seen = meet(rect, clip);
    if (isNothing(seen)) return;
    const gradient = /rgba?\([^)]*\)|color\([^)]*\)/.exec(style.backgroundImage);
    const fill = isClear(style.backgroundColor) ? (gradient === null ? null : gradient[0]) : style.backgroundColor;
    const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, rect.height / 2);
    const sides = ["Top", "Right", "Bottom", "Left"].map((side) => ({
      side,
      width: style[`border${side}Style`] === "none" ? 0 : Number.parseFloat(style[`border${side}Width`]),
      color: style[`border${side}Color`],
      dashed: style[`border${side}Style`] === "dashed",
    }));
    const [first] = sides;
    const isFramed = sides.every((side) => side.width === first.width && side.color === first.color && side.width > 0);
    const size = { x: seen.left, y: seen.top, width: seen.right - seen.left, height: seen.bottom - seen.top };
    if (fill !== null || (isFramed && !isClear(first.color))) {
      const inset = isFramed ? first.width / 2 : 0;
      put("rect", {
        x: size.x + inset,
        y: size.y + inset,
        width: Math.max(0, size.width - 2 * inset),
        height: Math.max(0, size.height - 2 * inset),
        rx: radius === 0 ? null : radius,
        ...(fill === null ? { fill: "none" } : paint("fill", fill)),
        ...(isFramed ? { ...paint("stroke", first.color), "stroke-width": first.width } : {}),
        ...(isFramed && first.dashed ? { "stroke-dasharray": "4 3" } : {}),
        opacity: opacity < 1 ? opacity : null,
      });
    }
    if (isFramed) return;
    for (const { side, width: thick, color, dashed } of sides) {
      if (thick === 0 || isClear(color)) continue;
      const half = thick / 2;
      const [x1, y1, x2, y2] = {
        Top: [seen.left, rect.top + half, seen.right, rect.top + half],
        Bottom: [seen.left, rect.bottom - half, seen.right, rect.bottom - half],
        Left: [rect.left + half, seen.top, rect.left + half, seen.bottom],
        Right: [rect.right - half, seen.top, rect.right - half, seen.bottom],
      }[side];
      const dash = dashed ? { "stroke-dasharray": "4 3" } : {};
      put("line", { x1, y1, x2, y2, ...paint("stroke", color), "stroke-width": thick, ...dash });
    }
  }

  function line(text, rect, style, opacity) {
    const shown = text.replace(/\s+/g, " ");
    if (shown.trim() === "") return;
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText(shown);
    put(
      "text",
      {
        x: rect.left,
        y: rect.top + (rect.height * up) / (up + down),
        textLength: rect.width,
        lengthAdjust: "spacingAndGlyphs",
        "font-size": Number.parseFloat(style.fontSize),
        "font-weight": style.fontWeight === "400" ? null : style.fontWeight,
        "font-family": /mono/i.test(style.fontFamily) ? "monospace" : null,
        "text-decoration": style.textDecorationLine === "underline" ? "underline" : null,
        ...paint("fill", style.color),
        opacity: opacity < 1 ? opacity : null,
      },
      escape(shown.trim()),
    );
  }

  /** A text as it is broken into lines. */
  function texts(node, style, clip, opacity) {
    const range = document.createRange();
    const { data } = node;
    let from = 0;
    let last = null;
    const flush = (to) => {
      // Blanks at the ends of a line have a width that is not drawn.
      let [start, end] = [from, to];
      while (start < end && /\s/.test(data[start])) start++;
      while (end > start && /\s/.test(data[end - 1])) end--;
      if (start === end) return;
      range.setStart(node, start);
      range.setEnd(node, end);
      const rect = range.getBoundingClientRect();
      const seen = meet(rect, clip);
      if (!isNothing(seen) && seen.right - seen.left > rect.width * 0.6)
        line(data.slice(start, end), rect, style, opacity);
    };
    for (let i = 0; i < data.length; i++) {
      range.setStart(node, i);
      range.setEnd(node, i + 1);
      const [rect] = range.getClientRects();
      if (rect === undefined || rect.width === 0) continue;
      if (last !== null && Math.abs(rect.top - last) > 3) {
        flush(i);
        from = i;
      }
      last = rect.top;
    }
    flush(data.length);
  }

  /** What a field shows is no text of the page. */
  function field(element, style, opacity) {
    const isSelect = element.tagName === "SELECT";
    const value = isSelect ? (element.selectedOptions[0]?.text ?? "") : element.value || element.placeholder;
    if (value === "") return;
    const rect = element.getBoundingClientRect();
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const size = Number.parseFloat(style.fontSize);
    const room = rect.width - (isSelect ? 32 : 18);
    const at = style.textAlign === "right" ? rect.right - 10 - pen.measureText(value).width : rect.left + 9;
    const top = rect.top + (rect.height - size * 1.3) / 2;
    line(
      value,
      { left: at, top, width: Math.min(room, pen.measureText(value).width), height: size * 1.3 },
      style,
      opacity,
    );
    if (isSelect)
      put("path", {
        d: `M ${round(rect.right - 18)} ${round(rect.top + rect.height / 2 - 2)} l 4 4 l 4 -4`,
        fill: "none",
        ...paint("stroke", style.color),
        "stroke-width": 1.5,
      });
  }

  function shapes(svg) {
    for (const shape of svg.querySelectorAll("path, line, rect, text")) {
      const style = getComputedStyle(shape);
      const { a, b, c, d, e, f } = shape.getScreenCTM();
      const own = Object.fromEntries(
        [...shape.attributes]
          .filter(({ name }) => /^(d|x|y|x1|x2|y1|y2|width|height|rx|text-anchor)$/.test(name))
          .map(({ name, value }) => [name, value]),
      );
      const isText = shape.tagName === "text";
      put(
        shape.tagName,
        {
          ...own,
          transform: `matrix(${[a, b, c, d, e, f].map((value) => Number(value.toFixed(3))).join(" ")})`,
          ...(style.fill === "none" ? { fill: "none" } : paint("fill", style.fill)),
          ...(style.stroke === "none" || isText
            ? {}
            : { ...paint("stroke", style.stroke), "stroke-width": Number.parseFloat(style.strokeWidth) }),
          "stroke-dasharray": style.strokeDasharray === "none" ? null : style.strokeDasharray.replace(/px/g, ""),
          "stroke-linecap": style.strokeLinecap === "butt" ? null : style.strokeLinecap,
          "vector-effect": style.vectorEffect === "none" ? null : style.vectorEffect,
          "font-size": isText ? Number.parseFloat(style.fontSize) : null,
          "font-weight": isText && style.fontWeight !== "400" ? style.fontWeight : null,
          opacity: style.opacity === "1" ? null : style.opacity,
        },
        isText ? escape(shape.textContent) : "",
      );
    }
  }

  function walk(element, clip, opacity) {
    const style = getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden" || style.clipPath !== "none") return;
    const through = opacity * Number(style.opacity);
    box(element, style, clip, through);
    if (element.tagName === "svg") return shapes(element);
    if (/^(INPUT|SELECT)$/.test(element.tagName)) return field(element, style, through);
    const inner = style.overflowX === "visible" ? clip : meet(clip, element.getBoundingClientRect());
    for (const child of element.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) texts(child, style, inner, through);
      else if (child.nodeType === Node.ELEMENT_NODE) {
        if (child.tagName === "DIALOG") dialogs.push(child);
        else walk(child, inner, through);
      }
    }
  }

  put("rect", { width, height, ...paint("fill", getComputedStyle(document.documentElement).backgroundColor) });
  walk(document.body, view, 1);
  for (const dialog of dialogs) {
    put("rect", { width, height, ...paint("fill", getComputedStyle(dialog, "::backdrop").backgroundColor) });
    walk(dialog, view, 1);
  }
  const title = escape(document.title);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" role="img">`;
  return `${head}\n<title>${title}</title>\n${out.join("\n")}\n</svg>\n`;
}

drawPage();
