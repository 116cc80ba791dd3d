import type { ReactNode } from "react";
import { useConsole } from "../data/console.ts";
import type { Reply } from "../data/entry.ts";
import { Ago } from "./ago.tsx";

interface AnsweredProps<T> {
  readonly reply: Reply<T>;
  readonly children: (data: T) => ReactNode;
}

/** Shows what is known of a question: that it is on its way, why it is not, or the answer, with its age where that is old. */
export function Answered<T>({ reply, children }: AnsweredProps<T>) {
  const { live } = useConsole();
  const { data, at, error } = reply;
  return (
    <>
      {error === null ? null : (
        <div role="alert" data-testid="error" className="banner banner-bad">
          <span>
            {error}
            {at === null ? null : (
              <>
                {" "}
                What is shown is of <Ago at={at} />.
              </>
            )}
          </span>
          <button type="button" onClick={() => live.refresh()}>
            Retry
          </button>
        </div>
      )}
      {data === null ? error === null ? <Loading /> : null : children(data)}
    </>
  );
}

/** What is shown until the first answer is there. */
export function Loading() {
  return (
    <p data-testid="loading" className="quiet" role="status">
      Loading …
    </p>
  );
}

/** What is shown where there is nothing, with what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div data-testid="empty" className="empty">
      <p className="empty-title">{title}</p>
      {children === undefined ? null : <div className="quiet">{children}</div>}
    </div>
  );
}
