// Writes signatures.json: webhook signatures made by Twilio's own helper library,
// against which signature_test.go checks ours.
//
//   npm install --prefix /tmp/twilio-helper twilio@6.2.0
//   NODE_PATH=/tmp/twilio-helper/node_modules node make-signatures.mjs
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";

const require = createRequire(process.env.NODE_PATH + "/");
const { version } = require("twilio/package.json");
const { getExpectedTwilioSignature, getExpectedBodyHash, validateRequest, validateRequestWithBody } =
  require("twilio/lib/webhooks/webhooks");

const token = "12345678901234567890123456789012";
const url = "https://desk.example.com/webhooks/twilio/acc1";
const sms = {
  AccountSid: "AC0123456789abcdef0123456789abcdef",
  ApiVersion: "2010-04-01",
  Body: "Hello there",
  From: "+14155550100",
  MessageSid: "SM0123456789abcdef0123456789abcdef",
  NumMedia: "0",
  SmsStatus: "received",
  To: "+14155550199",
};

const forms = [
  ["plain message", url, sms],
  ["status callback with a query", `${url}?attempt=a1b2c3`, { ...sms, Body: undefined, MessageStatus: "delivered" }],
  ["unknown parameters", url, { ...sms, BrandNew: "1", "Odd.Name[0]": "x" }],
  ["unicode", url, { ...sms, Body: "Grüße 你好 👩‍👩‍👧 ñ\u0301 \u202e" }],
  ["empty values", url, { ...sms, Body: "", FromCity: "", FromZip: "" }],
  ["no parameters", url, {}],
  ["line breaks and signs", url, { ...sms, Body: "a+b & c=d\r\n%41 'q' \"z\" ;" }],
  ["upper case sorts before lower", url, { b: "1", B: "2", a: "3", A: "4", Aa: "5" }],
  ["repeated parameter", url, { ...sms, Tag: ["b", "a", "b", "B"] }],
  ["repeated empty parameter", url, { ...sms, Tag: ["", "x", ""] }],
  ["default port named", "https://desk.example.com:443/webhooks/twilio/acc1", sms],
  ["other port named", "https://desk.example.com:8443/webhooks/twilio/acc1", sms],
  ["http", "http://desk.example.com/webhooks/twilio/acc1", sms],
  ["http, default port named", "http://desk.example.com:80/webhooks/twilio/acc1", sms],
  ["IPv6 host", "https://[2001:db8::1]/webhooks/twilio/acc1", sms],
  ["IPv6 host with port", "https://[2001:db8::1]:8443/webhooks/twilio/acc1", sms],
  ["user in the URL", "https://user:pa:ss@desk.example.com/webhooks/twilio/acc1", sms],
  ["colon in the path", "https://desk.example.com/web:hooks/twilio?x=a:b", sms],
  ["escaped query", `${url}?attempt=a%2Fb%20c&e=%C3%A9`, sms],
  ["quote in the query", `${url}?name=O'Brien&x=(1)`, sms],
];

const strip = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
const flipPort = (u) => {
  const m = /^(https?):\/\/((?:[^@/]*@)?)(\[[^\]]*\]|[^:/]*)(:\d+)?(.*)$/.exec(u);
  const port = m[4] ? "" : m[1] === "https" ? ":443" : ":80";
  return `${m[1]}://${m[2]}${m[3]}${port}${m[5]}`;
};

const cases = [];
for (const [name, address, raw] of forms) {
  const params = strip(raw);
  const signature = getExpectedTwilioSignature(token, address, params);
  const body = new URLSearchParams(
    Object.entries(params).flatMap(([k, v]) => [v].flat().map((one) => [k, one])),
  ).toString();
  for (const seen of [address, flipPort(address)]) {
    cases.push({
      name: seen === address ? name : `${name}, port changed on the way`,
      signedURL: address,
      publicURL: seen,
      contentType: "application/x-www-form-urlencoded",
      body,
      signature,
      valid: validateRequest(token, signature, seen, params),
    });
  }
}

for (const [name, body, sent] of [
  ["JSON body", '{"a":1}', '{"a":1}'],
  ["JSON body, unicode", '{"text":"你好 👋"}', '{"text":"你好 👋"}'],
  ["empty body", "", ""],
  ["JSON body changed on the way", '{"a":1}', '{"a":2}'],
]) {
  const address = `${url}?foo=1&bodySHA256=${getExpectedBodyHash(body)}`;
  const signature = getExpectedTwilioSignature(token, address, {});
  cases.push({
    name,
    signedURL: address,
    publicURL: address,
    contentType: "application/json",
    body: sent,
    signature,
    valid: validateRequestWithBody(token, signature, address, sent),
  });
}

writeFileSync(
  new URL("signatures.json", import.meta.url),
  JSON.stringify({ madeBy: `twilio@${version} (npm)`, token, cases }, null, 2) + "\n",
);
