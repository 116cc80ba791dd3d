import { useState } from "react";
import { pathOf } from "../core/address.ts";
import { errorsFirst, linkOf, type Problem } from "../core/problems.ts";
import { Link } from "./link.tsx";
import { StateMark } from "./state-mark.tsx";
import { WithCode } from "./with-code.tsx";

/** So many are shown at first: what stands below them stays in reach, also when a whole network is away. */
const SHOWN_MAX = 25;

interface ProblemListProps {
  readonly problems: readonly Problem[];
  /** How many there are, where these are but the first. */
  readonly total?: number | undefined;
}

/** What is wrong, errors first, with what to do about each and where to see it. */
export function ProblemList({ problems, total = problems.length }: ProblemListProps) {
  const [isWhole, setWhole] = useState(false);
  const left = Math.max(total, problems.length) - SHOWN_MAX;
  return (
    <>
      <Problems problems={isWhole ? errorsFirst(problems) : errorsFirst(problems).slice(0, SHOWN_MAX)} />
      {left > 0 ? (
        <p className="more-rows">
          <button type="button" onClick={() => setWhole(!isWhole)}>
            {isWhole
              ? `Show the first ${SHOWN_MAX}`
              : total > problems.length
                ? `Show the first ${problems.length}`
                : `Show all ${problems.length}`}
          </button>
          {isWhole && total <= problems.length ? null : (
            <span className="quiet">{isWhole ? total - problems.length : left} more, none of them worse</span>
          )}
        </p>
      ) : null}
    </>
  );
}

function Problems({ problems }: { readonly problems: readonly Problem[] }) {
  return (
    <ul className="problems">
      {problems.map((problem) => {
        const { severity, subject, message, remedy } = problem;
        const to = linkOf(subject);
        return (
          <li
            key={`${subject} ${message}`}
            data-testid="problem"
            data-severity={severity}
            className={`problem ${severity}`}
          >
            <StateMark state={severity} />
            <div>
              <p>
                {to === null ? <strong>{subject}</strong> : <Link to={pathOf(...to)}>{subject}</Link>}: {message}
              </p>
              {remedy === null ? null : (
                <p className="quiet">
                  <WithCode text={remedy} />
                </p>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
