import { Part } from "./part.ts";
import { type FromPart, SEAT_VARIABLE, type Seat, type ToPart } from "./messages.ts";

/** What this process is of a router that has several; null where it is the whole of one, or the one that starts them. */
export function takeSeat(): Part | null {
  const written = process.env[SEAT_VARIABLE];
  if (written === undefined || process.send === undefined) return null;
  // Without the one that has started it, nobody would end it, and another router may want its log.
  const abandoned = (): void => process.exit(1);
  process.once("disconnect", abandoned);
  return new Part(JSON.parse(written) as Seat, {
    send: (message: FromPart) => void (process.connected && process.send?.(message)),
    onMessage: (take: (message: ToPart) => void) => void process.on("message", (message) => take(message as ToPart)),
    close() {
      process.off("disconnect", abandoned);
      if (process.connected) process.disconnect();
    },
  });
}
