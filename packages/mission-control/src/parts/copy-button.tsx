import { useState } from "react";

/** Puts a text on the clipboard, and says that it did. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: string }) {
  const [outcome, setOutcome] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("Copied");
    } catch {
      // Browsers give the clipboard to secure pages alone.
      setOutcome("Cannot copy here: select it and copy it by hand");
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        {label}
      </button>
      <span role="status" className="quiet">
        {outcome}
      </span>
    </>
  );
}
