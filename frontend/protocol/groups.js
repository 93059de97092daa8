// Groups of labels, nested or not: {name, labels} or {name, groups}; a path is a list of positions. Pure.

/** Return all labels of a group, those of its inner groups included. */
export const labelsOf = (group) => (group.groups ? group.groups.flatMap(labelsOf) : group.labels);

/** Return the groups that a decision is among, from the names of the groups it lies inside of. */
export const groupsInside = (groups, names) =>
  names.reduce((inner, wanted) => inner?.find(({name}) => name === wanted)?.groups, groups);

/** Return every group with its path, outer ones first: the rows of an indented list. */
export const rowsOf = (groups, path = []) =>
  groups.flatMap((group, i) => [{path: [...path, i], group}, ...rowsOf(group.groups ?? [], [...path, i])]);

/**
 * Return groups after the labels have changed: labels that are still there stay, those that were renamed in their place
 * follow, and where neither will do there is nothing.
 */
export function carried(groups, before, after) {
  const stays = (label) => (typeof label === "number" ? label < after.length : after.includes(label));
  if (groups.flatMap(labelsOf).every(stays)) return groups;
  if (before.length !== after.length) return null;
  const follow = (label) => (stays(label) ? label : after[before.indexOf(label)] ?? label);
  return everyLeaf(groups, (group) => {
    const labels = group.labels.map(follow);
    return {...group, name: isNamedAfter(group) ? String(labels[0]) : group.name, labels};
  });
}

/** Return two groups to begin with: the first and the second half of the labels. */
export function halves(labels) {
  const middle = Math.ceil(labels.length / 2);
  return [half("first half", labels.slice(0, middle)), half("second half", labels.slice(middle))];
}

/** Return groups after a press on a label: it joins the group at a path, or leaves it. */
export function toggled(groups, path, label) {
  const leaves = groupAt(groups, path)?.labels?.includes(label) ?? false;
  const without = everyLeaf(groups, (group) => ({...group, labels: group.labels.filter((inner) => inner !== label)}));
  return leaves ? without : changed(without, path, (group) => joined(group, label));
}

export const renamed = (groups, path, name) => changed(groups, path, (group) => ({...group, name}));

export const relabelled = (groups, path, labels) => changed(groups, path, (group) => ({...group, labels}));

/** Return groups in which a group of labels has become one of two groups. */
export const split = (groups, path) => changed(groups, path, ({name, labels}) => ({name, groups: halves(labels)}));

/** Return groups with one more, empty, at the end of the group at a path (or outermost, for []). */
export function added(groups, path) {
  if (path.length) return changed(groups, path, (group) => ({...group, groups: added(group.groups, [])}));
  return [...groups, {name: freeName(groups), labels: []}];
}

/** Return groups without the one at a path; a group whose only group is left takes what that has. */
export function removed(groups, path) {
  if (path.length === 1) return groups.filter((_, i) => i !== path[0]);
  return changed(groups, path.slice(0, 1), (group) => adopted(group, removed(group.groups, path.slice(1))));
}

/** Return the group at a path, or nothing. */
export const groupAt = (groups, [first, ...rest]) => (rest.length ? groupAt(groups?.[first]?.groups, rest) : groups?.[first]);

function adopted({name}, groups) {
  if (groups.length > 1) return {name, groups};
  return groups[0].groups ? {name, groups: groups[0].groups} : {name, labels: groups[0].labels};
}

function freeName(groups) {
  const taken = new Set(groups.map(({name}) => name));
  let number = groups.length + 1;
  while (taken.has(`group ${number}`)) number += 1;
  return `group ${number}`;
}

const half = (name, labels) => ({name: labels.length === 1 ? String(labels[0]) : name, labels});
const isNamedAfter = ({name, labels}) => labels.length === 1 && name === String(labels[0]);
const joined = (group, label) => (group.labels ? {...group, labels: [...group.labels, label]} : group);

const everyLeaf = (groups, change) =>
  groups.map((group) => (group.groups ? {...group, groups: everyLeaf(group.groups, change)} : change(group)));

function changed(groups, [first, ...rest], change) {
  return groups.map((group, i) => {
    if (i !== first) return group;
    return rest.length ? {...group, groups: changed(group.groups, rest, change)} : change(group);
  });
}
