/**
 * The bytes of an event, which all who follow share. An event of Server-Sent Events; JSON has no line feeds, so that one line of data holds it.
 * @param topic what follows a blank in it keeps variants of one topic apart, and is not sent.
 */
export const eventOf = (topic: string, id: string, json: string): Buffer =>
  Buffer.from(`event: ${topic.split(" ", 1)[0]}\nid: ${id}\ndata: ${json}\n\n`);

/** Reads what an event was named by: `EPOCH.REVISION`; null for anything else. */
export function parseEventId(text: string): { readonly epoch: string; readonly revision: number } | null {
  const [, epoch, revision] = /^(.{1,100})\.(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined ? null : { epoch, revision: Number(revision) };
}
