// A customer's chat and an agent's thread beside each other, and what nobody should send.
import { fragment, render, renderDocument } from "/renderer/renderer.js";

const config = await (await fetch("/config")).json();
const element = (id) => document.getElementById(id);

async function thread() {
  const query = `${fragment} query Thread($id: ID!) { conversation(id: $id) { messages(last: 20) { nodes { content { ...RenderedContent } } } } }`;
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${config.token}` },
    body: JSON.stringify({ query, variables: { id: config.conversation } }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  element("thread").replaceChildren(...data.conversation.messages.nodes.map(({ content }) => render(content)));
}

async function tap({ token, title }) {
  const response = await fetch("/tap", { method: "POST", body: JSON.stringify({ type: "answer", token, title }) });
  if (!response.ok) throw new Error(`the tap was refused: ${response.status}`);
  await thread();
}

element("chat").append(...config.documents.map((sent) => renderDocument(sent, { onTap: tap })));

const hostile = "<img src=x onerror=\"document.title='owned'\">\u202Etxet";
const image = { url: "javascript:document.title='owned'", alt: hostile };
const link = { __typename: "LinkShape", format: "RICH_LINK", text: hostile, title: hostile, url: "javascript:document.title='owned'", image, isPopup: true };
const choices = [{ title: hostile, subtitle: hostile, startsAt: "never", image }];
const template = { __typename: "TemplateShape", text: hostile, name: hostile, language: "en", header: hostile, image, placeholders: [{ name: hostile, text: hostile }], linkSuffix: hostile, options: choices };
const choice = { __typename: "ChoiceShape", format: "LIST", text: hostile, label: hostile, options: choices };
element("hostile").append(
  ...[link, choice, template, { __typename: "TextShape", text: hostile }, { __typename: "Unheard", text: "lost" }].map((shape) => render({ __typename: "ComponentContent", text: hostile, shape })),
  render({ __typename: "Unheard", text: hostile }),
  render({ __typename: "AnswerContent", text: hostile, isRepeated: true }),
  render({
    __typename: "ComponentContent", text: "Times",
    shape: { __typename: "ChoiceShape", format: "BUTTONS", text: "When?", label: "", options: [{ title: "09:30", subtitle: "", startsAt: "2026-11-30T08:30:00Z" }] },
  }, { timeZone: "Asia/Tokyo", locale: "en-GB" }),
);
await thread();
document.body.dataset.ready = "true";
