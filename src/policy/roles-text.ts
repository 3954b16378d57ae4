/**
 * The default policies of who reads and administers, as Cedar text: what `policy show --roles` prints and the policies page
 * shows is what is evaluated. They say what core's guards say (test/policy/roles.test.ts holds the two against each other);
 * a set's own forbids on the same actions narrow them.
 */

/** The name that the defaults have in place of a file. */
export const rolesFile = 'roles (built in)';

/** One permit for each thing that somebody may do because of who they are. */
export const rolesText = `@id("roles.approvers") @title("Approvers see what they are asked about, and may stop it")
permit (principal is Person, action in [Action::"read", Action::"read_input", Action::"stop", Action::"cancel"], resource is Case)
when { principal in resource.approvers };

@id("roles.stand_ins") @title("Whoever stands in for an approver sees what waits, and may stop it")
permit (principal is Person, action in [Action::"read", Action::"read_input", Action::"stop", Action::"cancel"], resource is Case)
when { resource.stand_ins.contains(principal) };

@id("roles.asked") @title("Whoever was asked may stop it, also after leaving the group")
permit (principal is Person, action in [Action::"read", Action::"stop", Action::"cancel"], resource is Case)
when { resource.asked.contains(principal) };

@id("roles.owners") @title("Owners see what their agents do, and may stop it")
permit (principal is Person, action in [Action::"read", Action::"read_input", Action::"stop", Action::"cancel"], resource is Case)
when { resource.agent.owners.contains(principal) };

@id("roles.owners.agent") @title("Owners see their agents, and may stop them")
permit (principal is Person, action in [Action::"read_agent", Action::"stop"], resource is Agent)
when { resource.owners.contains(principal) };

@id("roles.reviewers") @title("Whoever reviewed it sees what became of it")
permit (principal is Person, action == Action::"read", resource is Case)
when { resource.reviewers.contains(principal) };

@id("roles.reviewers.input") @title("Whoever approved it sees what they approved")
permit (principal is Person, action == Action::"read_input", resource is Case)
when { resource.approved_by.contains(principal) };

@id("roles.operators") @title("Operators see every action without its input, may stop it, and settle what nobody knows")
permit (principal is Person, action in [Action::"read", Action::"stop", Action::"cancel", Action::"settle"], resource is Case)
when { principal in context.roles.operators };

@id("roles.operators.agent") @title("Operators see every agent, and may stop it")
permit (principal is Person, action in [Action::"read_agent", Action::"stop"], resource is Agent)
when { principal in context.roles.operators };

@id("roles.operators.lift") @title("Operators let an agent go on that is not theirs")
permit (principal is Person, action == Action::"lift", resource is Agent)
when { principal in context.roles.operators }
unless { resource.owners.contains(principal) };

@id("roles.operators.tool") @title("Operators accept tools")
permit (principal is Person, action == Action::"accept_tool", resource is Server)
when { principal in context.roles.operators };

@id("roles.operators.gate") @title("Operators see how the gate stands")
permit (principal is Person, action == Action::"read_gate", resource is Gate)
when { principal in context.roles.operators };

@id("roles.operators.people") @title("Operators see the people of the directory")
permit (principal is Person, action == Action::"read_person", resource is Person)
when { principal in context.roles.operators };

@id("roles.auditors") @title("Auditors see every action with its input, and change nothing")
permit (principal is Person, action in [Action::"read", Action::"read_input"], resource is Case)
when { principal in context.roles.auditors };

@id("roles.auditors.gate") @title("Auditors read the log, and see how the gate stands")
permit (principal is Person, action in [Action::"read_log", Action::"read_gate"], resource is Gate)
when { principal in context.roles.auditors };

@id("roles.auditors.agent") @title("Auditors see every agent")
permit (principal is Person, action == Action::"read_agent", resource is Agent)
when { principal in context.roles.auditors };

@id("roles.auditors.people") @title("Auditors see the people of the directory")
permit (principal is Person, action == Action::"read_person", resource is Person)
when { principal in context.roles.auditors };

@id("roles.oneself") @title("Everybody sees themself")
permit (principal is Person, action == Action::"read_person", resource is Person)
when { principal == resource };
`;
