/* facet-window-private.h - the fields that the parts of the window share */
#pragma once

#include "facet-window.h"

#include "chat/facet-chat-view.h"
#include "composer/facet-composer.h"
#include "store/facet-chat-list.h"

G_BEGIN_DECLS

struct _FacetWindow {
  AdwApplicationWindow parent_instance;

  AdwToastOverlay *toasts;
  AdwLeaflet      *leaflet;
  GtkWidget       *sidebar;
  GtkWidget       *content;
  GtkEditable     *search;
  GtkStack        *lists;
  GtkListBox      *chats;
  GtkListBox      *hits;
  AdwWindowTitle  *title;
  GtkWidget       *chat_button;
  GtkRevealer     *notice;  /* of the backend */
  GtkLabel        *notice_label;
  GtkWidget       *notice_close;
  GtkRevealer     *loading;
  GtkLabel        *loading_label;
  GtkProgressBar  *loading_bar;
  GtkStack        *pages;
  AdwStatusPage   *welcome;
  GtkWidget       *welcome_button;
  GtkWidget       *sample_chart;
  GtkWidget       *sample_voice;

  GtkWidget          *view;     /* FacetChatView */
  FacetComposer      *composer;

  FacetStore         *store;
  FacetEngineService *service;
  FacetModelLibrary  *library;
  GSettings          *settings;
  FacetReplier       *replier;
  FacetChatList      *chat_list;
  FacetConversation  *conversation;
  FacetMessage       *editing;  /* or NULL */
  FacetConversation  *asking;   /* whose question waits to be stored, or for its files to be copied; or NULL */
  GQueue              changes;  /* that wait to be stored */
  guint               changes_timer;
  gboolean            closing;
  guint               inhibited; /* cookie, 0: none */
  GCancellable       *searching;
  guint64             count_job;
  guint               count_timer;
  FacetAttachment    *counted;     /* the one that count_job is about, or NULL */
  int                 bare_tokens; /* of a question without attachments; 0: unknown */
  guint64             title_job;
  gint64              title_chat;
  GString            *title_text;
  GtkFileChooserNative *chooser;
  GHashTable         *unsent;     /* chat's id (gint64) -> GPtrArray of FacetAttachment */
  GHashTable         *removed;    /* id -> an attachment that may be brought back */
  guint               last_removed;
  guint               draft_timer;
  GtkWindow          *question;   /* about a tool, or NULL */
};

/* facet-window-actions.c */
void _facet_window_install_actions (FacetWindowClass *klass);
void _facet_window_add_stop_key    (FacetWindow *self);

/* facet-window-messages.c */
void _facet_window_add_chat_actions (FacetWindow *self);

/* facet-window-changes.c
 *
 * Changes of the chats that cannot be kept late by the store. */

/* Fails with BUSY without having done anything, or for good; what is shown then
 * need not be what was shown when the change was wanted. While the window
 * closes it only stores: it begins nothing. */
typedef gboolean (*FacetWindowChange) (FacetWindow *self, gpointer data, GError **error);

/* Does @change now, or within five seconds if another program has the chats
 * locked; else, and if it fails, says why. Those that wait keep their order; the
 * same @change of the same @id that still waits is forgotten. Takes @data, which
 * is freed once it is done or given up. Returns whether that is so by now. */
gboolean _facet_window_change      (FacetWindow       *self,
                                    FacetWindowChange  change,
                                    gint64             id,
                                    gpointer           data,
                                    GDestroyNotify     free_data);

/* Sets closing, and waits for the lock if something is still to be done. */
void _facet_window_end_changes     (FacetWindow *self);

/* facet-window-ask.c */
void _facet_window_ask             (FacetWindow *self);

/* facet-window-choices.c: mode, tools, thinking and draft of the conversation.
 * Leave comes before another one is shown, enter afterwards. */
void _facet_window_setup_choices      (FacetWindow *self);
void _facet_window_leave_conversation (FacetWindow *self);
void _facet_window_enter_conversation (FacetWindow *self);
void _facet_window_update_choices     (FacetWindow *self);
void _facet_window_choose_mode        (FacetWindow *self, const FacetMode *mode);
void _facet_window_save_draft         (FacetWindow *self); /* and what is written in place of messages */
void _facet_window_save_draft_soon    (FacetWindow *self);
void _facet_window_show_draft         (FacetWindow *self);
void _facet_window_forget_draft       (FacetWindow *self, FacetConversation *conversation);
void _facet_window_forget_revision    (FacetWindow *self, FacetMessage *message);
void _facet_window_stash_attachment   (FacetWindow *self, gint64 chat, FacetAttachment *attachment);

/* facet-window-removed.c */
void _facet_window_setup_removed      (FacetWindow *self);
void _facet_window_restore_attachment (FacetWindow *self, guint id);

/* facet-window-question.c: as the replier's property "question" says. */
void _facet_window_update_question    (FacetWindow *self);

/* facet-window-chats.c */
void _facet_window_setup_chats     (FacetWindow *self);
void _facet_window_select_chat     (FacetWindow *self);
FacetChat *_facet_window_get_chat  (FacetWindow *self);

/* facet-window-meter.c: asks the engine what the next message would cost,
 * shortly after the last change. Another model counts otherwise: reset. */
void _facet_window_update_meter    (FacetWindow *self);
void _facet_window_reset_meter     (FacetWindow *self);
void _facet_window_stop_meter      (FacetWindow *self);

/* facet-window-files.c */
void _facet_window_export          (FacetWindow *self, FacetExportFormat format);
void _facet_window_import          (FacetWindow *self);

/* facet-window-samples.c: attaches the sample for a mode, and chooses that. */
void _facet_window_try_sample      (FacetWindow *self, const char *mode);

/* facet-window-titles.c */
void _facet_window_rename_chat     (FacetWindow *self);
void _facet_window_suggest_title   (FacetWindow *self);

/* facet-window.c */

/* Returns: (transfer full): the chat as it is shown, answered or asked, or else as it is stored. */
FacetConversation *_facet_window_find_conversation (FacetWindow *self, gint64 chat_id, GError **error);

/* Fails with the reason why nothing that changes what is shown of the chat can be done now. */
gboolean _facet_window_check_free    (FacetWindow *self, gint64 chat_id, GError **error);
void _facet_window_offer_undo        (FacetWindow *self, const char *sentence, const char *action, GVariant *target);
void _facet_window_show_conversation (FacetWindow *self, FacetConversation *conversation);
void _facet_window_new_chat          (FacetWindow *self);
void _facet_window_set_editing       (FacetWindow *self, FacetMessage *message);

G_END_DECLS
