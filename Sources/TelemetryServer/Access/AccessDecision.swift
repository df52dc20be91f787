// SPDX-License-Identifier: Apache-2.0

/// Whether somebody may do something.
enum AccessDecision: Equatable {
    case allowed
    /// Nobody has shown who they are.
    case unauthenticated
    /// They would need another role.
    case forbidden(needs: Role)

    /// Decides.
    init(_ operation: AccessOperation, by principal: Principal?) {
        guard let principal else {
            self = .unauthenticated
            return
        }
        guard let role = principal.role, role >= operation.role else {
            self = .forbidden(needs: operation.role)
            return
        }
        self = .allowed
    }
}
