/** Optional fields of a config as options, where an absent field and an undefined one must not differ. */

/** Fields that are there. */
export const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
