/** The favicon: one mark, signed twice. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0a5fc4"/><g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"><path d="M7 16.5l4.5 4.5L20 11"/><path d="M14.5 20l1.5 1.5L25 12" stroke-opacity=".65"/></g></svg>
`;
