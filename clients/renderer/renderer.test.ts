// The reference renderer in a document of its own. What it looks like, and that no text becomes markup there, a browser shows
// in internal/check/parleytest/browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, mock, test } from "node:test";
import { buildSchema, parse, validate } from "graphql";
import { Window } from "happy-dom";
import { fragment, render, renderDocument } from "./renderer.js";

const window = new Window({ url: "http://127.0.0.1/" });
for (const name of ["document", "HTMLButtonElement"] as const) Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
after(() => window.happyDOM.close());

test("the fragment fits the schema", () => {
  const schema = buildSchema(readFileSync("../schema.graphql", "utf8"));
  const document = parse(`${fragment} query Q($id: ID!) { conversation(id: $id) { messages(last: 20) { nodes { content { ...RenderedContent } } } } }`);
  assert.deepEqual(validate(schema, document), []);
});

test("a tap is told once, with its token, and again if that failed", async () => {
  const told: (string | undefined)[] = [];
  let fails = true;
  const options = [{ token: "t1", title: "Small" }, { token: "t2", title: "Large" }];
  const drawn = renderDocument({ format: "BUTTONS", text: "Which size?", plain: "Which size?\n1. Small\n2. Large", options }, {
    onTap: async ({ token }) => {
      told.push(token);
      if (fails) throw new Error("offline");
    },
  });
  const said = mock.method(console, "error", () => {});
  const large = drawn.querySelectorAll("button")[1]!;
  large.click();
  await new Promise(setImmediate);
  assert.equal(said.mock.calls[0]!.arguments[0].message, "offline");
  fails = false;
  large.click();
  large.click();
  drawn.querySelectorAll("button")[0]!.click();
  await new Promise(setImmediate);
  assert.deepEqual(told, ["t2", "t2"]);
  assert.equal(large.getAttribute("aria-pressed"), "true");
});

test("a list opens, a page may open by itself, and what is unknown is text", () => {
  const list = render({ __typename: "ComponentContent", text: "all", shape: { __typename: "ChoiceShape", format: "LIST", text: "Topic?", label: "Topics", options: [{ title: "Billing", subtitle: "Bills" }] } });
  assert.equal(list.querySelector("details > summary")?.textContent, "Topics");
  assert.equal(list.querySelector("details li")?.textContent, "BillingBills");
  assert.equal(list.querySelector("button"), null);
  const opened: string[] = [];
  const link = { title: "Hours", url: "https://shop.example.com/hours", popup: true };
  renderDocument({ format: "WEB_PAGE", plain: "Hours", link }, { onPopup: (address) => opened.push(address) });
  renderDocument({ format: "WEB_PAGE", plain: "Hours", link: { ...link, url: "javascript:alert(1)" } }, { onPopup: (address) => opened.push(address) });
  assert.deepEqual(opened, ["https://shop.example.com/hours"]);
  assert.equal(render({ __typename: "ComponentContent", text: "all of it", shape: { __typename: "HologramShape" } }).textContent, "all of it");
  assert.equal(render({ __typename: "HologramContent", text: "<b>all</b>" }).textContent, "<b>all</b>");
});

test("a registered message has its parts, and no text of it is markup", () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const drawn = render({
    __typename: "ComponentContent", text: "all", shape: {
      __typename: "TemplateShape", format: "REGISTERED_TEMPLATE", text: hostile, name: hostile, language: "en_US", header: hostile, image: { url: "javascript:alert(1)", alt: hostile },
      placeholders: [{ name: "", text: hostile }, { name: hostile, text: "Maya" }], linkSuffix: hostile, options: [{ title: hostile, subtitle: hostile }],
    },
  }, { onTap: () => assert.fail("nobody taps it here") });
  assert.equal(drawn.querySelector("img, button, a, script"), null);
  const text = (selector: string) => [...drawn.querySelectorAll(selector)].map(({ textContent }) => textContent);
  for (const part of [".component-alt", ".component-header", ".component-text", ".component-title", ".component-subtitle"]) assert.deepEqual(text(part), [hostile], part);
  assert.deepEqual(text("summary"), [`${hostile} · en_US`]);
  assert.deepEqual(text("dt"), ["1", hostile, "link"]);
  assert.deepEqual(text("dd"), [hostile, "Maya", hostile]);
  const bare = render({ __typename: "ComponentContent", text: "all", shape: { __typename: "TemplateShape", text: "Hello", name: "", header: "", image: null, placeholders: [], linkSuffix: "", options: [] } });
  assert.equal(bare.innerHTML, '<p class="component-text" dir="auto">Hello</p>');
});

test("a time says until when it is, and takes no tap once it has begun", () => {
  const told: string[] = [];
  const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
  const options = [
    { token: "over", title: "Nine", startsAt: at(-1), durationMinutes: 30 }, { token: "soon", title: "Ten", startsAt: at(1) }, { token: "ahead", title: "Eleven", startsAt: at(60) },
  ];
  const drawn = renderDocument({ format: "BUTTONS", text: "When?", plain: "When?", options }, { onTap: ({ token }) => void told.push(token!) });
  const buttons = [...drawn.querySelectorAll("button")];
  assert.deepEqual(buttons.map((button) => button.getAttribute("aria-disabled")), ["true", null, null]);
  const start = Date.now();
  const now = mock.method(Date, "now", () => start + 120_000);
  for (const button of buttons) button.click();
  now.mock.restore();
  assert.deepEqual(told, ["ahead"]);
  assert.equal(buttons[1]!.getAttribute("aria-disabled"), "true");
  const agents = render({ __typename: "ComponentContent", text: "", shape: { __typename: "ChoiceShape", format: "BUTTONS", text: "When?", options: [{ title: "Nine", startsAt: "2020-11-30T08:30:00Z", durationMinutes: 45 }] } }, { timeZone: "UTC", locale: "en-GB" });
  assert.match(agents.querySelector("time")!.textContent!, /30 Nov 2020, 08:30.+09:15/);
  assert.equal(agents.querySelector(".component-option")!.getAttribute("aria-disabled"), "true");
  assert.equal(render({ __typename: "AnswerContent", text: "Nine", isOver: true }).textContent, "Ninethe time had begun");
});
