import { CopyButton } from "./copy-button.tsx";

/** The command that does the same in a shell. */
export function Command({ line }: { readonly line: string }) {
  return (
    <div className="command">
      <code data-testid="command">{line}</code>
      <CopyButton label="Copy command" text={line} />
    </div>
  );
}
