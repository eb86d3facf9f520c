/* facet-store.h - chats, messages and attachments on disk
 *
 *   <directory>/chats.db                   SQLite, write-ahead log
 *   <directory>/chats.lock                 held by who may write
 *   <directory>/attachments/<sha256>.<ext> copies of what people attached
 *
 * A chat is a tree of messages. Each message (and the chat, for its first
 * messages) remembers which child is shown; following these from the top gives
 * the *branch*. Editing or regenerating adds a sibling, nothing is overwritten.
 *
 * Every call that changes something is one transaction: after kill -9 all
 * calls that returned are there, so at most the tail of the running answer is
 * lost (what came after the last facet_store_save_running()).
 *
 * Thread-safety: a store belongs to the thread that opened it. The calls take
 * well under 5 ms; what may take longer is offered as _async and does its work
 * on a connection of its own in another thread. Signals come in the owner's
 * thread.
 *
 * Errors: FACET_STORE_ERROR. The messages are translated sentences that may be
 * shown to people; what SQLite said goes to the log.
 *
 * Times are microseconds since 1970 UTC. Ids are positive, 0 means none.
 * Functions that take a GError return FALSE/NULL/0 exactly when it is set.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define FACET_STORE_ERROR (facet_store_error_quark ())
GQuark facet_store_error_quark (void);

typedef enum {
  FACET_STORE_ERROR_IO,        /* cannot be read or written; disk full */
  FACET_STORE_ERROR_CORRUPT,   /* damaged; the next open repairs it */
  FACET_STORE_ERROR_BUSY,      /* another program holds the lock, or has these chats open */
  FACET_STORE_ERROR_VERSION,   /* written by a newer Facet */
  FACET_STORE_ERROR_NOT_FOUND, /* no such chat, message or file */
  FACET_STORE_ERROR_INVALID,   /* an import that is not what it claims to be */
  FACET_STORE_ERROR_TOO_LARGE, /* an import or attachment beyond the limits */
} FacetStoreErrorCode;

/* ---- the store ---------------------------------------------------------- */

/* Signals, each with the chat's id (int64):
 *   "chat-added"    created, imported, or brought back by undo
 *   "chat-changed"  title, pinned or updated is different now
 *   "chat-removed"  deleted (undo may bring it back)
 * and "waiting" (boolean): another program has had the database locked for
 * some seconds, and now no longer. Meanwhile ends of answers, calls, drafts,
 * revisions and options are kept and read as if they were written; everything else that
 * writes fails at once with BUSY, and may be tried again. */
#define FACET_TYPE_STORE (facet_store_get_type ())
G_DECLARE_FINAL_TYPE (FacetStore, facet_store, FACET, STORE, GObject)

typedef enum {
  FACET_STORE_READ_WRITE,
  FACET_STORE_READ_ONLY, /* for programs beside the window: changes nothing at all */
} FacetStoreMode;

/* What happened to a damaged database while opening: the damaged file is
 * moved aside, never deleted, and what is readable in it is copied over. */
typedef struct {
  char  *moved_to; /* NULL: nothing was wrong */
  guint  chats;    /* brought over */
  guint  messages; /* brought over */
} FacetStoreRecovery;

void facet_store_recovery_clear (FacetStoreRecovery *recovery);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (FacetStoreRecovery, facet_store_recovery_clear)

/* Returns: (transfer full): <XDG data directory>/facet. */
char       *facet_store_default_directory (void);

/* Opens or creates. READ_WRITE migrates older databases, marks answers that
 * were running when the program died as STOPPED, and removes what was deleted
 * before; while such a store is open, another one is refused with BUSY.
 * @recovery may be NULL. */
FacetStore *facet_store_open              (const char          *directory,
                                           FacetStoreMode       mode,
                                           FacetStoreRecovery  *recovery,
                                           GError             **error);

/* Whether calls wait for a lock, for ten seconds: of use where nobody would try
 * again, as when a window closes. */
void        facet_store_set_patient       (FacetStore *self, gboolean patient);

const char *facet_store_get_directory     (FacetStore *self);

/* Reads every page. On damage: CORRUPT, and the next open repairs. */
void        facet_store_check_async       (FacetStore          *self,
                                           GCancellable        *cancellable,
                                           GAsyncReadyCallback  callback,
                                           gpointer             user_data);
gboolean    facet_store_check_finish      (FacetStore *self, GAsyncResult *result, GError **error);

/* ---- chats -------------------------------------------------------------- */

typedef struct {
  gint64   id;
  char    *title;   /* "" until set; the first question sets it */
  gboolean pinned;
  gint64   created;
  gint64   updated; /* of the last message */
} FacetChatRecord;

void facet_chat_record_free (FacetChatRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetChatRecord, facet_chat_record_free)

/* Returns: (transfer full) (element-type FacetChatRecord): pinned first, then
 * by updated, newest first; deleted ones left out. */
GPtrArray       *facet_store_list_chats       (FacetStore *self, GError **error);
FacetChatRecord *facet_store_get_chat         (FacetStore *self, gint64 chat_id, GError **error);

/* @title may be NULL: then the first user message names the chat. */
gint64           facet_store_add_chat         (FacetStore *self, const char *title, GError **error);
gboolean         facet_store_set_chat_title   (FacetStore *self, gint64 chat_id, const char *title, GError **error);
gboolean         facet_store_set_chat_pinned  (FacetStore *self, gint64 chat_id, gboolean pinned, GError **error);

/* Hides the chat, or brings it back (undo). A chat still deleted when the
 * store is opened again is removed for good. */
gboolean         facet_store_set_chat_deleted (FacetStore *self, gint64 chat_id, gboolean deleted, GError **error);

/* Removes deleted chats and messages for good, then files that no message
 * uses and that are older than @min_age seconds (files of an unsent message
 * are in use by nobody yet). */
gboolean         facet_store_purge            (FacetStore *self, int min_age, GError **error);

/* Text of the composer that was not sent, and a free JSON object in which the
 * window keeps the chat's choices (mode, tools, ...). "" if never set.
 * @chat_id 0: of the next new chat. */
gboolean         facet_store_set_draft        (FacetStore *self, gint64 chat_id, const char *draft, GError **error);
char            *facet_store_get_draft        (FacetStore *self, gint64 chat_id, GError **error);
gboolean         facet_store_set_options      (FacetStore *self, gint64 chat_id, const char *json, GError **error);
char            *facet_store_get_options      (FacetStore *self, gint64 chat_id, GError **error);

/* ---- attachments -------------------------------------------------------- */

typedef enum {
  FACET_ATTACHMENT_IMAGE,
  FACET_ATTACHMENT_AUDIO,
  FACET_ATTACHMENT_TEXT,
} FacetAttachmentKind;

/* The largest file that is taken in. */
#define FACET_STORE_MAX_ATTACHMENT (G_GUINT64_CONSTANT (1) << 30)

typedef struct {
  FacetAttachmentKind kind;
  char               *hash;      /* SHA-256 of the bytes, lower-case hex */
  char               *extension; /* lower case, letters and digits, may be "" */
  char               *name;      /* as the person knew it; any text */
  char               *mime;
  guint64             size;      /* bytes */
} FacetStoreAttachment;

FacetStoreAttachment *facet_store_attachment_copy (const FacetStoreAttachment *attachment);
void                  facet_store_attachment_free (FacetStoreAttachment *attachment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetStoreAttachment, facet_store_attachment_free)

/* Copies bytes into the store (once per content, written whole or not at all).
 * It belongs to a message once facet_store_add_message() names it; until then
 * facet_store_purge() may drop it after its @min_age. The sync form waits for
 * the disk and, unlike everything else here, may be called in any thread.
 * @name may contain any text. */
FacetStoreAttachment *facet_store_take_bytes       (FacetStore           *self,
                                                    FacetAttachmentKind   kind,
                                                    GBytes               *bytes,
                                                    const char           *name,
                                                    const char           *mime,
                                                    GError              **error);
void                  facet_store_take_file_async  (FacetStore           *self,
                                                    FacetAttachmentKind   kind,
                                                    GFile                *file,
                                                    const char           *name,
                                                    const char           *mime,
                                                    GCancellable         *cancellable,
                                                    GAsyncReadyCallback   callback,
                                                    gpointer              user_data);
FacetStoreAttachment *facet_store_take_file_finish (FacetStore *self, GAsyncResult *result, GError **error);

/* Any thread. Returns: (transfer full): where the copy lies; it may be missing. */
char                 *facet_store_attachment_path  (FacetStore *self, const FacetStoreAttachment *attachment);

/* ---- messages ----------------------------------------------------------- */

typedef enum {
  FACET_STORE_ROLE_SYSTEM,
  FACET_STORE_ROLE_USER,
  FACET_STORE_ROLE_MODEL,
} FacetStoreRole;

typedef enum {
  FACET_MESSAGE_RUNNING,
  FACET_MESSAGE_DONE,
  FACET_MESSAGE_STOPPED, /* by the person, or the program died meanwhile */
  FACET_MESSAGE_FAILED,
} FacetMessageStatus;

/* Strings are never NULL in what the store returns; NULL means "" in what it
 * is given. */
typedef struct {
  gint64             id;
  gint64             chat_id;
  gint64             parent_id;     /* 0: top of the chat */
  FacetStoreRole     role;
  FacetMessageStatus status;
  char              *text;
  char              *thinking;
  char              *stats;         /* JSON object or "" */
  char              *failure;       /* sentence, of FAILED */
  char              *model;         /* name of the model that answered */
  char              *mode;          /* the assistant's mode, e.g. "transcribe"; an answer has its question's */
  gboolean           edited;        /* an answer that the person corrected; the model's own is a sibling */
  char              *calls;         /* of tools, on the way to an answer (facet-call-record.h); "" if none */
  char              *revision;      /* what is still being written in place of text; "" if nothing; never exported */
  gint64             created;
  GPtrArray         *attachments;   /* FacetStoreAttachment; may be NULL when given */
  guint              sibling_index; /* 0-based among the messages of this parent */
  guint              sibling_count; /* 1: no other branch here */
} FacetStoreMessage;

void facet_store_message_free (FacetStoreMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetStoreMessage, facet_store_message_free)

/* Stores @message below its parent and shows it (it becomes part of the
 * branch). id, sibling_index and sibling_count are ignored; created 0 is now.
 * Returns the new id. */
gint64             facet_store_add_message         (FacetStore *self, const FacetStoreMessage *message, GError **error);

/* Saves the tail of a RUNNING answer; call it about twice a second. */
gboolean           facet_store_save_running        (FacetStore  *self,
                                                    gint64       message_id,
                                                    const char  *text,
                                                    const char  *thinking,
                                                    GError     **error);

/* Saves the calls of tools that an answer made so far, and what came of them. */
gboolean           facet_store_save_calls          (FacetStore  *self,
                                                    gint64       message_id,
                                                    const char  *calls,
                                                    GError     **error);

/* Ends an answer. @status is DONE, STOPPED or FAILED. @stats is a JSON object,
 * @failure the sentence to show; both may be NULL. */
gboolean           facet_store_finish_message      (FacetStore          *self,
                                                    gint64               message_id,
                                                    FacetMessageStatus   status,
                                                    const char          *text,
                                                    const char          *thinking,
                                                    const char          *stats,
                                                    const char          *failure,
                                                    GError             **error);

/* Makes a finished answer RUNNING again, to continue it. */
gboolean           facet_store_resume_message      (FacetStore *self, gint64 message_id, GError **error);

/* Returns: (transfer full) (element-type FacetStoreMessage): what is shown,
 * from the top to the last message. */
GPtrArray         *facet_store_get_branch          (FacetStore *self, gint64 chat_id, GError **error);
FacetStoreMessage *facet_store_get_message         (FacetStore *self, gint64 message_id, GError **error);

/* Shows the branch through @message_id; below it, what was shown last. */
gboolean           facet_store_show_message        (FacetStore *self, gint64 message_id, GError **error);

/* Shows the sibling of @message_id at @sibling_index. Returns its id. */
gint64             facet_store_show_sibling        (FacetStore  *self,
                                                    gint64       message_id,
                                                    guint        sibling_index,
                                                    GError     **error);

/* Hides the message with all that follows it (another branch is shown if there
 * is one), or brings exactly these back. */
gboolean           facet_store_set_message_deleted (FacetStore *self, gint64 message_id, gboolean deleted, GError **error);

/* What a person is writing in place of the message's text; "" if nothing. */
gboolean           facet_store_set_revision        (FacetStore *self, gint64 message_id, const char *revision, GError **error);

/* Stores @correction beside the message and shows it; what followed the
 * message, in all its branches, follows the correction from now on. Of
 * @correction chat_id and parent_id are ignored. The message's revision is
 * forgotten. Returns the new id. */
gint64             facet_store_correct_message     (FacetStore              *self,
                                                    gint64                   message_id,
                                                    const FacetStoreMessage *correction,
                                                    GError                 **error);

/* Undoes that: the correction is deleted; what follows it follows the message
 * again, which is shown. */
gboolean           facet_store_uncorrect_message   (FacetStore *self, gint64 correction_id, gint64 message_id, GError **error);

/* ---- search ------------------------------------------------------------- */

/* One chat that matches, with its best place. */
typedef struct {
  gint64  chat_id;
  gint64  message_id; /* 0: only the title matches */
  char   *title;
  char   *snippet;    /* around the match, one line of plain text; "" for titles */
  GArray *ranges;     /* FacetTextRange: the matching words in @snippet */
  guint   matches;    /* messages of this chat that match */
} FacetStoreHit;

typedef struct {
  guint start; /* byte offsets */
  guint end;
} FacetTextRange;

void facet_store_hit_free (FacetStoreHit *hit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetStoreHit, facet_store_hit_free)

/* All words of @query must occur in a title or a message (the last as the
 * beginning of a word); "quoted words" must follow each other. Case, accents,
 * Arabic and Hebrew vowel signs and character width do not matter; Chinese,
 * Japanese, Korean and Thai text matches anywhere. Deleted things and branches
 * not shown: the former are left out, the latter found. No character of
 * @query is an operator, save the quotation mark.
 * Finish returns: (transfer full) (element-type FacetStoreHit): titles first,
 * then by relevance; at most @limit. */
void       facet_store_search_async  (FacetStore          *self,
                                      const char          *query,
                                      guint                limit,
                                      GCancellable        *cancellable,
                                      GAsyncReadyCallback  callback,
                                      gpointer             user_data);
GPtrArray *facet_store_search_finish (FacetStore *self, GAsyncResult *result, GError **error);
GPtrArray *facet_store_search        (FacetStore *self, const char *query, guint limit, GError **error);

/* ---- export and import -------------------------------------------------- */

typedef enum {
  FACET_EXPORT_MARKDOWN, /* the branch that is shown, attachments by name */
  FACET_EXPORT_JSON,     /* everything, attachments included; can be imported */
} FacetExportFormat;

/* The largest file that is imported. */
#define FACET_STORE_MAX_IMPORT (G_GUINT64_CONSTANT (256) << 20)

/* @chat_id 0: all chats. */
gboolean facet_store_export        (FacetStore           *self,
                                    gint64                chat_id,
                                    FacetExportFormat     format,
                                    GOutputStream        *stream,
                                    GCancellable         *cancellable,
                                    GError              **error);
/* Replaces @file whole or leaves it as it was. */
void     facet_store_export_async  (FacetStore           *self,
                                    gint64                chat_id,
                                    FacetExportFormat     format,
                                    GFile                *file,
                                    GCancellable         *cancellable,
                                    GAsyncReadyCallback   callback,
                                    gpointer              user_data);
gboolean facet_store_export_finish (FacetStore *self, GAsyncResult *result, GError **error);

/* Adds the chats of a JSON export as new ones: all or, on an error, none.
 * Finish returns how many. */
void     facet_store_import_async  (FacetStore           *self,
                                    GFile                *file,
                                    GCancellable         *cancellable,
                                    GAsyncReadyCallback   callback,
                                    gpointer              user_data);
guint    facet_store_import_finish (FacetStore *self, GAsyncResult *result, GError **error);

G_END_DECLS
