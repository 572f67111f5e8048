// A browser's document for tests in Node. Imported before React.
import { Window } from "happy-dom";

const window = new Window({ url: "http://127.0.0.1/" });
for (const name of ["document", "navigator", "HTMLElement", "HTMLIFrameElement", "Element", "Node", "MutationObserver"] as const) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
Object.assign(globalThis, { window });

/** Ends what the document still does. */
export const closeDocument = () => window.happyDOM.close();
