/** What came as an answer, all of it. */
export interface WholeAnswer {
  readonly response: Response;
  readonly text: string;
}

/**
 * Fetches all of an answer. It is given up after a silence, and not after a time: what is long on its way over a slow
 * link comes all the same, and asked for anew it would only be longer.
 * @throws what `fetch` throws
 */
export async function patientFetch(url: URL, init: RequestInit, silenceMs: number): Promise<WholeAnswer> {
  const silence = new AbortController();
  let last: AbortSignal | null = null;
  const heard = (): void => {
    // It stands still while the page is suspended, which a timer of the page does not.
    const timeout = AbortSignal.timeout(silenceMs);
    last = timeout;
    timeout.addEventListener("abort", () => {
      if (last === timeout) silence.abort(timeout.reason);
    });
  };
  heard();
  try {
    const response = await fetch(url, { ...init, signal: silence.signal });
    heard();
    return { response, text: await readAll(response.body, heard) };
  } finally {
    last = null;
  }
}

async function readAll(body: ReadableStream<Uint8Array> | null, heard: () => void): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    heard();
    text += decoder.decode(value, { stream: true });
  }
}
