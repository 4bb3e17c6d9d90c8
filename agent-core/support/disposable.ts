/** Something that lives until its owner ends it. Ending twice is harmless. */
export interface Disposable {
  dispose(): void;
}

export interface AsyncDisposable {
  dispose(): Promise<void>;
}

export const disposable = (end: () => void): Disposable => {
  let ended = false;
  return {
    dispose: () => {
      if (!ended) {
        ended = true;
        end();
      }
    },
  };
};
