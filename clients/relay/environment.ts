// Relay for Parley: what a frontend sets up once.
import { Environment, type FetchFunction, Network, Observable, RecordSource, Store, type SubscribeFunction } from "relay-runtime";
import { authorized } from "../parley/authorized";
import { resuming } from "../parley/resuming";
import type { Server } from "../parley/server";

export function relay({ url, token, webSocketImpl }: Server): Environment {
  const socket = resuming({ url: url.replace(/^http/, "ws"), token, webSocketImpl });
  const post = authorized(token);
  const fetchGraphQL: FetchFunction = async ({ text }, variables) => {
    const response = await post(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json() as never;
  };
  const subscribe: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) => socket.subscribe({ query: text!, variables }, sink as never));
  return new Environment({ network: Network.create(fetchGraphQL, subscribe), store: new Store(new RecordSource()) });
}
