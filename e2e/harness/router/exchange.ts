import { once } from "node:events";
import rhea from "rhea";

/** Bodies that are no plain value, which the types of rhea lack: bytes, several sections of them, values one after the other. */
export const sections = rhea.message as unknown as Record<
  "data_section" | "data_sections" | "sequence_section",
  (value: unknown) => unknown
>;

/** Sends a message, and resolves with its outcome, or with why it was rejected. */
export async function sent(sender: rhea.Sender, message: rhea.Message): Promise<string> {
  if (!sender.sendable()) await once(sender, "sendable");
  const { id } = sender.send(message);
  const outcomes = ["accepted", "rejected", "released", "modified"] as const;
  return new Promise((resolve) => {
    for (const outcome of outcomes)
      sender.on(outcome, ({ delivery }: rhea.EventContext) => {
        if (delivery?.id !== id) return;
        const { error } = (delivery.remote_state ?? {}) as { error?: { description: string } };
        resolve(error?.description ?? outcome);
      });
  });
}

/** Gives credit for one message, and resolves with it. */
export async function next(receiver: rhea.Receiver): Promise<{ message: rhea.Message; delivery: rhea.Delivery }> {
  receiver.add_credit(1);
  const [{ message, delivery }] = (await once(receiver, "message")) as [rhea.EventContext];
  return { message: message as rhea.Message, delivery: delivery as rhea.Delivery };
}
