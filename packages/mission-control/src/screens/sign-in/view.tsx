import { type SyntheticEvent, useEffect, useId, useState } from "react";
import { useConsole } from "../../data/console.ts";
import { messageOf } from "../../data/refusal.ts";
import { WithCode } from "../../parts/with-code.tsx";

/** Asks for a token, which goes to the directory and stays nowhere here. */
export function SignIn() {
  const { connection } = useConsole();
  const [token, setToken] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const id = useId();
  useEffect(() => {
    document.title = "Sign in · Mission Control";
  }, []);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy || token.trim() === "") return;
    setIsBusy(true);
    setRefused(null);
    try {
      await connection.signIn(token.trim());
    } catch (error) {
      setRefused(messageOf(error));
      setIsBusy(false);
    }
  };
  return (
    <main id="main" className="sign-in" tabIndex={-1}>
      <h1>Mission Control</h1>
      <form onSubmit={(event) => void submit(event)}>
        <div className="field">
          <label htmlFor={id}>Token</label>
          <input
            id={id}
            type="text"
            className="secret"
            value={token}
            autoComplete="off"
            spellCheck={false}
            autoFocus
            onChange={(event) => setToken(event.target.value)}
            aria-describedby={`${id}-hint`}
          />
          <span id={`${id}-hint`} className="hint">
            One that may read: of the role viewer, operator or admin. <code>dw console</code> signs in by itself.
          </span>
        </div>
        {refused === null ? null : (
          <p role="alert" className="banner banner-bad">
            <span>
              <WithCode text={refused} />
            </span>
          </p>
        )}
        <button type="submit" className="button-primary" aria-disabled={isBusy || undefined}>
          Sign in
        </button>
      </form>
    </main>
  );
}
