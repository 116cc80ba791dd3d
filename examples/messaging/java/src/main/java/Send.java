import javax.jms.JMSContext;
import javax.jms.JMSProducer;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Sends each text to an address: Send HOST:PORT ADDRESS TEXT… */
public class Send {
    public static void main(String[] args) {
        try (JMSContext context = new JmsConnectionFactory("amqp://" + args[0]).createContext()) {
            JMSProducer producer = context.createProducer();
            // Each returns when it is accepted, which means on disk.
            for (int i = 2; i < args.length; i++) producer.send(context.createQueue(args[1]), args[i]);
            System.out.println("accepted " + (args.length - 2));
        }
    }
}
