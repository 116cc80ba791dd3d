import { formatAgo } from "../core/format.ts";
import { useNow } from "../data/clock.ts";

/** A moment, as far as it is away from now; the exact one is its tooltip. */
export function Ago({ at }: { readonly at: string | number }) {
  const nowMs = useNow();
  const moment = new Date(at);
  const exact = moment.toISOString();
  return (
    <time dateTime={exact} title={exact}>
      {formatAgo(moment.getTime(), nowMs)}
    </time>
  );
}
