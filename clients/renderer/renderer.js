// @ts-check
// Draws messaging components, without a framework: a module that a page loads as it is.
//
//   import { fragment, render } from "./renderer.js";
//   // query: `${fragment} query { conversation(id: "…") { messages(last: 20) { nodes { content { ...RenderedContent } } } } }`
//   thread.append(render(message.content));
//
// Every text is set as text, so none becomes markup. Addresses open only if they are of the web.

/** What `render` needs of a message's content. */
export const fragment = `fragment RenderedContent on MessageContent {
  __typename
  ... on TextContent { text }
  ... on MediaContent { text }
  ... on NoteContent { text }
  ... on EventContent { text }
  ... on ActionContent { text }
  ... on ComponentContent { text shape { __typename
    ... on LinkShape { format text title url image { url alt } isPopup }
    ... on ChoiceShape { format text label options { title subtitle startsAt durationMinutes image { url alt } } }
    ... on TemplateShape { text name language header image { url alt } placeholders { name text } linkSuffix options { title subtitle startsAt durationMinutes image { url alt } } }
    ... on TextShape { text } } }
  ... on AnswerContent { text option isTyped isRepeated isOver }
}`;

/**
 * @typedef {{ url: string, alt?: string }} Picture
 * @typedef {{ title: string, subtitle?: string, startsAt?: string | null, durationMinutes?: number | null, token?: string, image?: Picture | null }} Option
 * @typedef {{ name?: string, text: string }} Placeholder
 * @typedef {{ __typename?: string, format?: string, text?: string, title?: string, url?: string, label?: string, image?: Picture | null, isPopup?: boolean, options?: Option[],
 *   name?: string, language?: string, header?: string, placeholders?: Placeholder[], linkSuffix?: string }} Shape
 * @typedef {{ __typename?: string, text?: string, option?: number, isTyped?: boolean, isRepeated?: boolean, isOver?: boolean, shape?: Shape | null }} Content
 * @typedef {{ format: string, text?: string, plain: string, link?: { title: string, url: string, image?: Picture, popup?: boolean }, options?: Option[] }} WebDocument
 */

/**
 * What a page may set.
 * @typedef {object} Settings
 * @property {(option: Option, number: number) => unknown} [onTap] Called when an option is tapped, with its number from 1. Without it options are
 *   no buttons, as for agents. If it throws or rejects, the option can be tapped again.
 * @property {(address: string, title: string) => void} [onPopup] Called for a web page that opens by itself. Without it the page is a link.
 * @property {string} [locale] For times; the browser's without it.
 * @property {string} [timeZone] For times; the viewer's without it.
 */

/**
 * Draws the content of a message as the graph has it. Unknown kinds are drawn as text.
 * @param {Content} content
 * @param {Settings} [settings]
 * @returns {HTMLElement}
 */
export function render(content, settings = {}) {
  if (content.__typename === "ComponentContent" && content.shape) return shaped(content.shape, content.text ?? "", settings);
  const drawn = element("p", "component-text", content.text ?? "");
  if (content.__typename !== "AnswerContent") return drawn;
  drawn.classList.add("component-answer");
  if (content.isRepeated) drawn.append(element("small", "component-note", "answered before"));
  if (content.isOver) drawn.append(element("small", "component-note", "the time had begun"));
  return drawn;
}

/**
 * Draws the JSON document that web and in-app channels get. `onTap` gets the option with its token.
 * @param {WebDocument} document
 * @param {Settings} [settings]
 */
export function renderDocument(document, settings = {}) {
  const { format, text = "", plain, link, options } = document;
  const known = link ? "LinkShape" : options ? "ChoiceShape" : "TextShape";
  return shaped({ __typename: known, format, text: known === "TextShape" ? plain : text, ...link, isPopup: link?.popup, options }, plain, settings);
}

/**
 * @param {Shape} shape
 * @param {string} plain
 * @param {Settings} settings
 */
function shaped(shape, plain, settings) {
  const drawn = element("div", "component");
  if (shape.__typename === "LinkShape") {
    if (shape.text) drawn.append(element("p", "component-text", shape.text));
    drawn.append(card(shape, settings));
  } else if (shape.__typename === "ChoiceShape") {
    drawn.append(question(shape, settings));
  } else if (shape.__typename === "TemplateShape") {
    drawn.append(...template(shape, settings));
  } else {
    drawn.append(element("p", "component-text", shape.__typename === "TextShape" ? (shape.text ?? plain) : plain));
  }
  return drawn;
}

/**
 * A card that is a link. It shows the host that it leads to, so that no title can disguise that.
 * @param {Shape} link
 * @param {Settings} settings
 */
function card(link, settings) {
  const address = webAddress(link.url);
  const drawn = address ? anchor(address) : element("span", "");
  drawn.className = "component-card";
  if (link.image) drawn.append(picture(link.image));
  drawn.append(element("strong", "component-title", link.title ?? ""));
  drawn.append(element("small", "component-host", address ? address.host : (link.url ?? ""), "ltr"));
  if (address && link.isPopup) settings.onPopup?.(address.href, link.title ?? "");
  return drawn;
}

/**
 * The parts of a registered message. It is drawn for agents, so its options are no buttons. Only the platform knows its full
 * wording; the values of its placeholders are shown behind its name.
 * @param {Shape} shape
 * @param {Settings} settings
 */
function template(shape, { locale, timeZone }) {
  const parts = [];
  const text = element("p", "component-text", shape.text ?? "");
  if (shape.image) parts.push(picture(shape.image));
  if (shape.header) parts.push(element("strong", "component-header", shape.header));
  parts.push(text);
  if (shape.options?.length) parts.push(listed(shape.options, "REGISTERED_TEMPLATE", text, { locale, timeZone }));
  const filled = element("dl", "component-placeholders");
  const fill = (/** @type {string} */ name, /** @type {string} */ value) => filled.append(element("dt", "", name), element("dd", "", value));
  (shape.placeholders ?? []).forEach((placeholder, index) => fill(placeholder.name || String(index + 1), placeholder.text));
  if (shape.linkSuffix) fill("link", shape.linkSuffix);
  if (shape.name) parts.push(opened([shape.name, shape.language].filter(Boolean).join(" · "), filled));
  return parts;
}

/** @param {URL} address */
function anchor(address) {
  const link = document.createElement("a");
  link.href = address.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

let questions = 0;

/**
 * A question is a group that is named by its text. The options of a LIST are behind its label.
 * @param {Shape} choice
 * @param {Settings} settings
 */
function question(choice, settings) {
  const group = element("div", "component-question");
  const text = element("p", "component-text", choice.text ?? "");
  text.id = `component-question-${++questions}`;
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", text.id);
  group.append(text);
  const list = listed(choice.options ?? [], choice.format ?? "", group, settings);
  group.append(choice.format === "LIST" ? opened(choice.label ?? "", list) : list);
  return group;
}

/**
 * @param {Option[]} options
 * @param {string} format
 * @param {HTMLElement} group What takes no other tap once one of them is tapped.
 * @param {Settings} settings
 */
function listed(options, format, group, settings) {
  const list = element("ul", `component-options component-${format.toLowerCase().replace(/[^a-z]+/g, "-")}`);
  list.setAttribute("role", "list"); // some screen readers ignore lists without bullets
  options.forEach((option, index) => {
    const item = document.createElement("li");
    item.append(choosable(option, index + 1, group, settings));
    list.append(item);
  });
  return list;
}

/**
 * @param {string} label
 * @param {HTMLElement} content
 */
function opened(label, content) {
  const details = element("details", "component-list");
  details.append(element("summary", "component-label", label), content);
  return details;
}

/**
 * An option. A time that has begun is disabled, also if it begins while the page is open.
 * @param {Option} option
 * @param {number} number
 * @param {HTMLElement} group
 * @param {Settings} settings
 */
function choosable(option, number, group, settings) {
  const { onTap } = settings;
  const drawn = document.createElement(onTap ? "button" : "div");
  drawn.className = "component-option";
  if (option.image) drawn.append(picture(option.image));
  drawn.append(element("span", "component-title", option.title));
  if (option.startsAt) drawn.append(moment(option.startsAt, option.durationMinutes ?? 0, settings));
  if (option.subtitle) drawn.append(element("small", "component-subtitle", option.subtitle));
  const disabledOnceBegun = () => {
    const begun = !!option.startsAt && Date.parse(option.startsAt) <= Date.now();
    if (begun) drawn.setAttribute("aria-disabled", "true");
    return begun;
  };
  disabledOnceBegun();
  if (onTap && drawn instanceof HTMLButtonElement) {
    drawn.type = "button";
    drawn.addEventListener("click", () => disabledOnceBegun() || tapped(drawn, group, () => onTap(option, number)));
  }
  return drawn;
}

/**
 * Marks the option as chosen and takes no other tap, unless `tell` fails. Buttons stay focusable.
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} group
 * @param {() => unknown} tell
 */
async function tapped(button, group, tell) {
  if (group.getAttribute("aria-disabled") === "true") return;
  const mark = (/** @type {boolean} */ chosen) => {
    group.setAttribute("aria-disabled", String(chosen));
    button.setAttribute("aria-pressed", String(chosen));
  };
  mark(true);
  try {
    await tell();
  } catch (error) {
    mark(false);
    console.error(error);
  }
}

/**
 * A time in the viewer's zone, with its end if that is known. The title has it as the customer reads it.
 * @param {string} at
 * @param {number} minutes
 * @param {Settings} settings
 */
function moment(at, minutes, { locale, timeZone }) {
  const time = document.createElement("time");
  const date = new Date(at);
  time.className = "component-time";
  time.dateTime = at;
  if (!Number.isNaN(date.getTime())) {
    const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
    time.textContent = minutes > 0 ? format.formatRange(date, new Date(date.getTime() + minutes * 60_000)) : format.format(date);
  }
  return time;
}

/**
 * A picture, replaced by its text if it does not load. Its server does not learn which page shows it.
 * @param {Picture} image
 */
function picture(image) {
  const address = webAddress(image.url);
  const alt = image.alt ?? "";
  if (!address) return element("span", "component-alt", alt);
  const drawn = document.createElement("img");
  drawn.className = "component-image";
  drawn.loading = "lazy";
  drawn.decoding = "async";
  drawn.referrerPolicy = "no-referrer";
  drawn.alt = alt;
  drawn.addEventListener("error", () => drawn.replaceWith(element("span", "component-alt", alt)), { once: true });
  drawn.src = address.href;
  return drawn;
}

/**
 * The address if it begins with https:// or http://, so that no script is opened.
 * @param {string | undefined} text
 */
function webAddress(text) {
  try {
    const address = new URL(text ?? "");
    return address.protocol === "https:" || address.protocol === "http:" ? address : undefined;
  } catch {
    return undefined;
  }
}

/**
 * An element whose text has a direction of its own, so that it does not reverse others.
 * @param {string} name
 * @param {string} className
 * @param {string} [text]
 * @param {"auto" | "ltr"} [direction]
 * @returns {HTMLElement}
 */
function element(name, className, text, direction = "auto") {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
    made.dir = direction;
  }
  return made;
}
