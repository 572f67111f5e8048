// fetch with a token that is asked for anew: for every HTTP client that takes a fetch.

/** Gets a token; after a refusal `fresh` is true, and the one before is not to be given again. */
export type Token = (fresh: boolean) => string | Promise<string>;

/** A fetch that sends the token, and when it is refused (401) asks for a fresh one and repeats the request, once. */
export function authorized(token: Token, fetchFn: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const send = async (fresh: boolean) => {
      const headers = new Headers(init?.headers);
      headers.set("Authorization", `Bearer ${await token(fresh)}`);
      return fetchFn(input, { ...init, headers });
    };
    const answer = await send(false);
    return answer.status === 401 ? send(true) : answer;
  };
}
