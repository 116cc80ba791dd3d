import { type ReactNode, useEffect, useId, useRef } from "react";

interface DialogProps {
  readonly title: string;
  /** What cannot be taken back asks twice: the focus is on Cancel. */
  readonly isAlert?: boolean;
  /** One of many fields. */
  readonly isWide?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Its last button. */
  readonly action?: ReactNode;
  /** What its first button says. */
  readonly cancel?: string;
}

/** A dialog above the page, which Esc closes; the focus goes back to where it was. */
export function Dialog(props: DialogProps) {
  const { title, isAlert = false, isWide = false, onClose, children, action, cancel = "Cancel" } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const cancelButton = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element === null) return undefined;
    if (!element.open) element.showModal();
    const field = isAlert ? null : element.querySelector<HTMLElement>("input, select, textarea");
    (field ?? cancelButton.current)?.focus();
    return () => {
      element.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, [isAlert]);
  return (
    <dialog
      ref={dialog}
      className={isWide ? "dialog dialog-wide" : "dialog"}
      role={isAlert ? "alertdialog" : "dialog"}
      aria-labelledby={`${id}-title`}
      aria-describedby={isAlert ? `${id}-body` : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      <div id={`${id}-body`} className="dialog-body">
        {children}
      </div>
      <div className="dialog-foot">
        <button ref={cancelButton} type="button" onClick={onClose}>
          {cancel}
        </button>
        {action}
      </div>
    </dialog>
  );
}
