// Renders docs/guide.md and docs/errors.md to the HTML of the playground's guide.
import MarkdownIt from "markdown-it";

// The anchor that a heading has on a Git host too.
const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");

// Where a link of a page in docs/ leads on the one page that both become; nothing where that is a file of the source.
function target(href) {
  if (/^(#|https?:)/.test(href)) return href;
  const [file, anchor] = href.split("#");
  if (file === "errors.md") return `#${anchor ?? "error-codes"}`;
  return file === "guide.md" ? `#${anchor ?? ""}` : undefined;
}

const fileOf = (href) => href.split("#")[0].replace(/^(?:\.\.\/)|^/, (up) => (up ? "" : "docs/"));

function renderer(deeper) {
  const md = new MarkdownIt();
  const headings = [];
  md.renderer.rules.heading_open = (tokens, n) => {
    const level = Number(tokens[n].tag[1]) + deeper;
    const id = slug(tokens[n + 1].content.replace(/`/g, ""));
    tokens[n].tag = tokens[n + 2].tag = `h${level}`;
    if (level === 2) headings.push({ id, title: md.renderInline(tokens[n + 1].content) });
    return `<h${level} id="${id}">`;
  };
  md.renderer.rules.link_open = (tokens, n, options, env, self) => {
    const href = tokens[n].attrGet("href");
    const to = target(href);
    (env.links ??= []).push(to ? "</a>" : ` (<code>${md.utils.escapeHtml(fileOf(href))}</code>)`);
    if (!to) return "";
    tokens[n].attrSet("href", to);
    return self.renderToken(tokens, n, options);
  };
  md.renderer.rules.link_close = (tokens, n, options, env) => env.links.pop();
  return { render: (text) => md.render(text, {}), headings };
}

export function guide(guideText, errorsText) {
  const main = renderer(0);
  const errors = renderer(1);
  const body = main.render(guideText) + errors.render(errorsText);
  const contents = [...main.headings, ...errors.headings].map(({ id, title }) => `<li><a href="#${id}">${title}</a></li>`);
  return body.replace("</h1>", `</h1>\n<nav><ul>\n${contents.join("\n")}\n</ul></nav>`);
}
