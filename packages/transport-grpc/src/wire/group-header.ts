/** Request header of RaftService that names the group; group 1 where it is missing. */
export const GROUP_HEADER = "raftoral-group";
