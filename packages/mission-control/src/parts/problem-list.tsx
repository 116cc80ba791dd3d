import { pathOf } from "../core/address.ts";
import { errorsFirst, linkOf, type Problem } from "../core/problems.ts";
import { Link } from "./link.tsx";
import { StateMark } from "./state-mark.tsx";
import { WithCode } from "./with-code.tsx";

/** What is wrong, errors first, with what to do about each and where to see it. */
export function ProblemList({ problems }: { readonly problems: readonly Problem[] }) {
  return (
    <ul className="problems">
      {errorsFirst(problems).map((problem) => {
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
