import { dwCommand } from "../../core/command.ts";
import { plural } from "../../core/format.ts";
import { Command } from "../../parts/command.tsx";
import { Section } from "../../parts/page.tsx";
import type { QueueRow } from "./data.ts";

/** What was given up, by address, with the commands that show it and put it back: a router takes them from its own users alone. */
export function DeadLetters({ rows }: { readonly rows: readonly QueueRow[] }) {
  if (rows.length === 0) return null;
  return (
    <Section title="Dead letters">
      <ul className="plain">
        {rows.map(({ key, address, dead }) => (
          <li key={key} className="section">
            <p>
              <strong>{address}</strong>: {plural(dead, "message")}. Why each of them, and back into the address:
            </p>
            <Command line={dwCommand("queue", "dead", "list", `//${address}`)} />
            <Command line={dwCommand("queue", "dead", "retry", `//${address}`)} />
          </li>
        ))}
      </ul>
    </Section>
  );
}
